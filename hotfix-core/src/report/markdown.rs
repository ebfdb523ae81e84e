//! The report as Markdown with GitHub tables. Every text is escaped by [`markdown`], ours as well.

use std::fmt::Write as _;

use crate::text::{joined, markdown};

use super::outline::{Block, Section, Table};

pub(super) fn page(title: &str, sections: &[Section]) -> String {
    let mut page = format!("# {}\n\nAll times are UTC.\n", markdown(title));
    // Markdown has no plots, only their tables; a section with nothing but plots is left out.
    let is_drawn = |block: &Block| matches!(block, Block::Plots(_));
    for section in sections.iter().filter(|section| !section.blocks.iter().all(is_drawn)) {
        let _ = write!(page, "\n## {}\n", markdown(&section.title));
        for block in &section.blocks {
            write_block(&mut page, block);
        }
    }
    page
}

// Writing to a string does not fail.
fn write_block(page: &mut String, block: &Block) {
    match block {
        Block::Heading(text) => {
            let _ = write!(page, "\n### {}\n", markdown(text));
        }
        Block::Paragraph(text) => {
            let _ = write!(page, "\n{}\n", markdown(text));
        }
        Block::List(items) => {
            page.push('\n');
            for item in items {
                let _ = writeln!(page, "- {}", markdown(item));
            }
        }
        Block::Table(table) => write_table(page, table),
        Block::Plots(_) => {}
    }
}

fn write_table(page: &mut String, table: &Table) {
    let _ = write!(page, "\n{}:\n\n", markdown(&table.caption));
    let mut line = |cells: Vec<String>| {
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    };
    let name = |name: &String| if name.is_empty() { String::new() } else { markdown(name) };
    line(table.head.iter().map(name).collect());
    line(table.head.iter().map(|_| "---".to_owned()).collect());
    let cell = |lines: &Vec<String>| joined(lines.iter().map(|line| markdown(line)), "; ");
    for row in &table.rows {
        line(row.iter().map(cell).collect());
    }
}
