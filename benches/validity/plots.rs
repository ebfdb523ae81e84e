//! Plots as SVG, the same bytes each time, legible on light and dark pages.

use plotters::prelude::*;

use crate::report::Report;

const SIZE: (u32, u32) = (720, 360);
const TEXT: (&str, i32, RGBColor) = ("sans-serif", 14, RGBColor(110, 110, 110));
const INKS: [RGBColor; 6] = [
    RGBColor(0x2b, 0x7b, 0xba),
    RGBColor(0xd9, 0x6c, 0x1e),
    RGBColor(0x4c, 0x9f, 0x50),
    RGBColor(0xa0, 0x5a, 0xb0),
    RGBColor(0x8c, 0x6d, 0x31),
    RGBColor(0xc0, 0x3a, 0x3a),
];

/// A named line.
pub(crate) struct Curve<'a> {
    pub(crate) name: &'a str,
    pub(crate) points: &'a [(f64, f64)],
}

/// Draws lines with a legend and refers to the plot in the report.
pub(crate) fn lines(
    report: &mut Report,
    file: &str,
    words: &str,
    axes: (&str, &str),
    range: (f64, f64),
    curves: &[Curve<'_>],
) {
    let mut svg = String::new();
    let drawn = draw(&mut svg, axes, range, curves);
    report.plot(file, words, drawn.map(|()| svg).map_err(|e| e.to_string()));
}

fn draw(
    svg: &mut String,
    axes: (&str, &str),
    range: (f64, f64),
    curves: &[Curve<'_>],
) -> Result<(), Box<dyn std::error::Error>> {
    let all = || curves.iter().flat_map(|curve| curve.points);
    let least = all().map(|point| point.0).fold(f64::INFINITY, f64::min);
    let most = all().map(|point| point.0).fold(f64::NEG_INFINITY, f64::max);
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(least..most, range.0..range.1)?;
    let text = (TEXT.0, TEXT.1).into_font().color(&TEXT.2);
    chart
        .configure_mesh()
        .x_desc(axes.0)
        .y_desc(axes.1)
        .label_style(text.clone())
        .axis_desc_style(text.clone())
        .axis_style(TEXT.2)
        .bold_line_style(TEXT.2.mix(0.25))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (curve, ink) in curves.iter().zip(INKS) {
        chart
            .draw_series(LineSeries::new(curve.points.iter().copied(), ink.stroke_width(2)))?
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], ink.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .label_font(text)
        .border_style(TEXT.2.mix(0.4))
        .draw()?;
    root.present()?;
    Ok(())
}

/// Draws each method's figures, sorted, on a logarithmic axis, with a line at a limit.
pub(crate) fn dots(
    report: &mut Report,
    file: &str,
    words: &str,
    axes: (&str, &str),
    methods: &[(&str, &[f64])],
    limit: f64,
) {
    let mut svg = String::new();
    let drawn = draw_dots(&mut svg, axes, methods, limit);
    report.plot(file, words, drawn.map(|()| svg).map_err(|e| e.to_string()));
}

fn draw_dots(
    svg: &mut String,
    axes: (&str, &str),
    methods: &[(&str, &[f64])],
    limit: f64,
) -> Result<(), Box<dyn std::error::Error>> {
    let most = methods.iter().map(|method| method.1.len()).max().unwrap_or(1) as f64;
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..most + 1.0, (1e-4..1.0).log_scale())?;
    let text = (TEXT.0, TEXT.1).into_font().color(&TEXT.2);
    chart
        .configure_mesh()
        .x_desc(axes.0)
        .y_desc(axes.1)
        .label_style(text.clone())
        .axis_desc_style(text.clone())
        .axis_style(TEXT.2)
        .bold_line_style(TEXT.2.mix(0.25))
        .light_line_style(TRANSPARENT)
        .draw()?;
    chart.draw_series(LineSeries::new([(0.0, limit), (most + 1.0, limit)], TEXT.2))?;
    for ((name, rates), ink) in methods.iter().zip(INKS) {
        let mut sorted = rates.to_vec();
        sorted.sort_by(f64::total_cmp);
        let places = sorted.iter().zip(1_u32..).map(|(rate, at)| (f64::from(at), rate.max(1e-4)));
        chart
            .draw_series(places.map(|place| Circle::new(place, 3, ink.filled())))?
            .label(*name)
            .legend(move |(x, y)| Circle::new((x + 9, y), 3, ink.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(text)
        .border_style(TEXT.2.mix(0.4))
        .draw()?;
    root.present()?;
    Ok(())
}
