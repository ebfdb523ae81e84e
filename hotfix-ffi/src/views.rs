//! Views that are asked for rarely: one function for those of a rollout and one for those of a
//! plan. `view_table` lists them.

use std::ffi::c_char;

use hotfix_core::unit::Timestamp;
use serde_json::{Map, Value};

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::{Fallible, hotfix_error};
use crate::plan::hotfix_plan;
use crate::pointer;
use crate::rollout::hotfix_rollout;
use crate::sequential_test::document;
use crate::status::hotfix_status;
use crate::view_table::{PLAN_VIEWS, ROLLOUT_VIEWS};

/// A row of a table of views.
pub struct View<T: 'static> {
    /// The value of its constant, which is never used for another view.
    pub number: i32,
    /// Its name, as in Rust and Python; the constant has it in capitals.
    pub name: &'static str,
    /// What it returns, for the header.
    pub text: &'static str,
    /// The feature that it belongs to, if a library can be built without it.
    pub part: Option<&'static str>,
    /// None if this library was built without its part.
    pub write: Option<Write<T>>,
}

/// How a view is written, by the argument that it has.
pub enum Write<T> {
    /// Without an argument.
    Now(fn(&T) -> Fallible<String>),
    /// With the time `at`.
    At(fn(&T, Timestamp) -> Fallible<String>),
    /// With the time `start`, which may be absent.
    Start(fn(&T, Option<Timestamp>) -> Fallible<String>),
}

impl<T> View<T> {
    /// The name of its argument.
    pub const fn argument(&self) -> Option<&'static str> {
        match self.write {
            None | Some(Write::Now(_)) => None,
            Some(Write::At(_)) => Some("at"),
            Some(Write::Start(_)) => Some("start"),
        }
    }

    /// Reads the argument: JSON of one member, or no text.
    fn read(&self, args: &str) -> Fallible<Option<Timestamp>> {
        let members: Map<String, Value> = match args.trim() {
            "" => Map::new(),
            args => document(args, "args")?,
        };
        let mut time = None;
        for (key, value) in &members {
            let place = format!("/args/{key}");
            if self.argument() != Some(key) {
                let has =
                    self.argument().map_or("no argument".to_owned(), |of| format!("only `{of}`"));
                let fault = format!("the view `{}` has {has}: remove `{key}`", self.name);
                return Err(hotfix_error::argument(&place, fault));
            }
            let Some(text) = value.as_str() else {
                let fault =
                    format!("`{key}` is not a text: give a time such as \"2026-03-03T14:40:00Z\"");
                return Err(hotfix_error::argument(&place, fault));
            };
            let at = text.parse().map_err(|e| Box::<hotfix_error>::from(e).at(place))?;
            time = Some(at);
        }
        Ok(time)
    }

    fn text(&self, of: &T, args: &str) -> Fallible<String> {
        let Some(write) = &self.write else {
            return Err(hotfix_error::left_out(self.name, self.part.unwrap_or_default()));
        };
        let time = self.read(args)?;
        match write {
            Write::Now(write) => write(of),
            Write::Start(write) => write(of, time),
            Write::At(write) => {
                let at = time.ok_or_else(|| {
                    let fault = format!("the view `{}` needs `at`: give a time", self.name);
                    hotfix_error::argument("/args/at", fault)
                })?;
                write(of, at)
            }
        }
    }
}

fn find<T>(views: &'static [View<T>], number: i32, of: &str) -> Fallible<&'static View<T>> {
    let found = views.iter().find(|view| view.number == number);
    found.ok_or_else(|| hotfix_error::no_member("view", number, of))
}

/// A view of a rollout that is asked for rarely, as JSON or text. The constants say what each is.
///
/// @param rollout   A rollout.
/// @param view      One of hotfix_rollout_views.
/// @param args      The argument of the view, if it has one, as a JSON object: {"at":
///                  "2026-03-03T14:40:00Z"}. UTF-8, borrowed for the call; otherwise null with
///                  length 0.
/// @param args_len  Its length in bytes.
/// @param out       A buffer that the caller frees with hotfix_buf_free.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_ENUM for a number that is not a view, and for a view of a part that the
///         library was built without; HOTFIX_STATUS_INPUT for an argument that is missing, or that
///         the view does not have; HOTFIX_STATUS_UNIT for a text that is not a time.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_view(
    rollout: *const hotfix_rollout,
    view: i32,
    args: *const c_char,
    args_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            pointer::read(rollout, "rollout", |session| {
                let view = find(ROLLOUT_VIEWS, view, "hotfix_rollout_views")?;
                view.text(&session.rollout, pointer::text(args, args_len, "args")?)
            })
        })
    }
}

/// A view of a plan that is asked for rarely, as JSON or text. The constants say what each is.
///
/// @param plan      A plan.
/// @param view      One of hotfix_plan_views.
/// @param args      The argument of the view, if it has one, as a JSON object: {"start":
///                  "2026-03-03T14:40:00Z"}. UTF-8, borrowed for the call; otherwise null with
///                  length 0.
/// @param args_len  Its length in bytes.
/// @param out       A buffer that the caller frees with hotfix_buf_free.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_ENUM for a number that is not a view; HOTFIX_STATUS_INPUT for an argument
///         that is missing, or that the view does not have; HOTFIX_STATUS_UNIT for a text that is
///         not a time; HOTFIX_STATUS_PLAN for a plan that has no such view.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_view(
    plan: *const hotfix_plan,
    view: i32,
    args: *const c_char,
    args_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            pointer::read(plan, "plan", |plan| {
                let view = find(PLAN_VIEWS, view, "hotfix_plan_views")?;
                view.text(plan, pointer::text(args, args_len, "args")?)
            })
        })
    }
}
