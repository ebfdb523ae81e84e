//! CSV with a header line, wide or long (RFC 4180).

use ::csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};

use crate::text;

use super::error::{RecordedErrors, RecordedFault};
use super::mapping::{ArmSource, Edge, LabelPart, Mapping, Source};
use super::points::{Points, Series};
use super::{RecordedMetrics, moment, number};

struct Column<'m> {
    /// Index among the mapping's arms.
    arm: usize,
    part: LabelPart,
    at: usize,
    /// The column that names the instance.
    instance: Option<usize>,
    /// Columns that must have these texts.
    matching: Vec<(usize, &'m str)>,
    /// The column that has the bound of a bucket.
    le: Option<usize>,
    source: &'m Source,
}

pub(super) fn read(text: &str, mapping: &Mapping) -> Result<RecordedMetrics, RecordedErrors> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| refused(&error))?.clone();
    let time = find(&header, &mapping.time.from)?;
    let mut columns = Vec::new();
    for (arm, (_, _, of)) in mapping.arms().enumerate() {
        for (part, source) in of.sources() {
            columns.push(column(&header, (arm, of), part, source)?);
        }
    }
    let unit = mapping.time.unit;
    let mut points = Points::new(mapping);
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| refused(&error))? {
        let line = record.position().map_or(0, ::csv::Position::line);
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let at = moment(cell(time), unit).ok_or_else(|| {
            let (got, unit) = (text::shown(cell(time)), unit.as_str());
            RecordedFault::Time { got, unit }.at_line(line, time + 1)
        })?;
        for column in &columns {
            let chosen = column.matching.iter().all(|(place, value)| cell(*place) == *value);
            // An empty cell is no reading.
            if !chosen || cell(column.at).is_empty() {
                continue;
            }
            let read = |place: usize| {
                let got = cell(place);
                let fault = || RecordedFault::Number { got: text::shown(got) };
                number(got).ok_or_else(|| fault().at_line(line, place + 1))
            };
            let value = column.source.value(read(column.at)?);
            let part = match column.le {
                None => column.part,
                Some(le) => {
                    let bound = read(le)?;
                    if bound.is_nan() || bound <= 0.0 {
                        let got = text::shown(cell(le));
                        return Err(RecordedFault::Number { got }.at_line(line, le + 1));
                    }
                    LabelPart::Bucket(bound.to_bits())
                }
            };
            let instance = match column.instance {
                None => 0,
                Some(place) if cell(place).is_empty() => {
                    let (name, known) = (header.get(place), String::new());
                    let name = text::shown(name.unwrap_or_default());
                    return Err(RecordedFault::NoInstance { name, known }.at_line(line, place + 1));
                }
                Some(place) => points.instance(cell(place)),
            };
            points.add(at, Series { arm: column.arm, instance, part }, value)?;
        }
    }
    Ok(points.assemble())
}

fn column<'m>(
    header: &StringRecord,
    (arm, of): (usize, &ArmSource),
    part: LabelPart,
    source: &'m Source,
) -> Result<Column<'m>, RecordedErrors> {
    let name = source.from.as_deref().ok_or_else(|| {
        let fault = "a source of a CSV needs `from`, the name of its column".to_owned();
        RecordedFault::Mapping { fault }.at("/metrics")
    })?;
    let mut matching = Vec::new();
    for (column, value) in &source.matching {
        matching.push((find(header, column)?, value.as_str()));
    }
    let le = match &source.le {
        Some(Edge::Read(column)) => Some(find(header, column)?),
        _ => None,
    };
    let instance = of.instance.as_deref().map(|name| find(header, name)).transpose()?;
    Ok(Column { arm, part, at: find(header, name)?, instance, matching, le, source })
}

fn find(header: &StringRecord, name: &str) -> Result<usize, RecordedErrors> {
    let named: Vec<usize> =
        (0..).zip(header).filter(|(_, known)| *known == name).map(|(at, _)| at).collect();
    if named.len() > 1 {
        let fault = format!(
            "{} columns have the name {}: rename all but one",
            named.len(),
            text::shown(name)
        );
        return Err(RecordedFault::Csv { fault }.at_line(1, 1));
    }
    named.first().copied().ok_or_else(|| {
        // Spreadsheets use these where the comma is the decimal separator.
        let split_by =
            |by: &char| header.iter().any(|all| all.split(*by).any(|one| one.trim() == name));
        if let Some(by) = [';', '\t', '|'].into_iter().find(split_by) {
            let fault = format!("its columns are separated by {by:?}: separate them by commas");
            return RecordedFault::Csv { fault }.at_line(1, 1);
        }
        let nearest = text::nearest(name, header).map(str::to_owned);
        RecordedFault::NoColumn { column: text::shown(name), nearest }.at_line(1, 1)
    })
}

fn refused(error: &::csv::Error) -> RecordedErrors {
    let line = error.position().map_or(1, ::csv::Position::line);
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            let fault = format!("it has {len} fields, but the header has {expected_len}");
            let column = usize::try_from(*len.min(expected_len)).unwrap_or(usize::MAX);
            RecordedFault::Csv { fault }.at_line(line, column.saturating_add(1))
        }
        // A reader of text in memory has no other error.
        _ => RecordedFault::Csv { fault: "its format is unknown".to_owned() }.at_line(line, 1),
    }
}
