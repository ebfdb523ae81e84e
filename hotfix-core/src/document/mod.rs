//! Documents that people write: TOML and JSON are read into one tree with places, and all faults
//! are reported at once, each with its line and column.

mod error;
mod fault;
mod node;
mod reader;
mod serde_value;
mod table;
mod text;
mod value;

pub(crate) use error::each_once;
pub use error::{DocumentError, DocumentErrors, FaultFamily};
pub(crate) use fault::DocumentCodes;
pub use fault::DocumentFault;
pub(crate) use node::{Member, Node, Place, Value};
pub(crate) use reader::DocumentReader;
pub use serde_value::{ValueFault, read_document, read_part};
pub(crate) use serde_value::{read_json, read_value, value_of};
pub(crate) use table::document_table;
