//! Commands of checklist items, procedure steps and phases.

use schemars::{Schema, SchemaGenerator};

use crate::policy::command::{CommandFault, parts};
use crate::policy::error::Problem;
use crate::policy::node::PolicyNode;
use crate::policy::reader::{Field, PolicyReader, Style};
use crate::text::shown;

/// A command; `PHASE`: it may name the phase and its share.
pub(super) struct CommandLine<const PHASE: bool>;

impl<const PHASE: bool> Field for CommandLine<PHASE> {
    type Out = String;

    fn read(node: &PolicyNode, reader: &mut PolicyReader) -> Option<String> {
        let text = String::read(node, reader)?;
        let problem = match parts(&text, PHASE) {
            Ok(_) => return Some(text),
            Err(CommandFault::Unknown { name, nearest }) => {
                let fault = format!("`{}` is not a placeholder here", shown(name));
                Problem::CommandField { fault, nearest }
            }
            Err(CommandFault::Quoted { name }) => Problem::CommandForm {
                detail: format!("`{name}` is inside quotes, and its value is quoted already"),
            },
            Err(CommandFault::Form { detail }) => {
                Problem::CommandForm { detail: detail.to_owned() }
            }
        };
        reader.fail(problem)
    }
    fn write(value: &String, style: Style) -> PolicyNode {
        String::write(value, style)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        String::schema(generator)
    }
    fn example() -> &'static str {
        "\"./deploy.sh {{ version }}\""
    }
}
