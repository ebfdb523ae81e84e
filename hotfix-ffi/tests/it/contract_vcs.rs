//! What the functions of source control promise: nulls, UTF-8, numbers that are none.

use std::ptr::{null, null_mut};

use hotfix::buffer::*;
use hotfix::vcs::*;

use crate::common::{buffer, fails, raw};

#[test]
fn vcs_1_a_null_pointer_is_an_error_to_source_control() {
    let (text, len) = raw("1.2.3");
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let buf = &raw mut buf;
    fails! { Null:
        hotfix_branch_name(null(), 1, text, len, buf);
        hotfix_branch_name(text, len, null(), 1, buf);
        hotfix_branch_name(text, len, text, len, null_mut());
        hotfix_next_version(null(), 1, 1, buf);
        hotfix_next_version(text, len, 1, null_mut());
        hotfix_version_tag(null(), 1, buf);
        hotfix_version_tag(text, len, null_mut());
        hotfix_timestamp_tag(0, null_mut());
    }
}

#[test]
fn vcs_1_texts_and_numbers_that_are_none_are_errors() {
    let (bad, (text, len)) = (b"\xff", raw("1.2.3"));
    let (at, bad_len) = (bad.as_ptr().cast(), bad.len());
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let buf = &raw mut buf;
    fails! { Utf8:
        hotfix_branch_name(at, bad_len, text, len, buf);
        hotfix_branch_name(text, len, at, bad_len, buf);
        hotfix_next_version(at, bad_len, 1, buf);
        hotfix_version_tag(at, bad_len, buf);
    }
    fails! { Range:
        hotfix_branch_name(text, usize::MAX, text, len, buf);
        hotfix_branch_name(text, len, text, usize::MAX, buf);
        hotfix_next_version(text, usize::MAX, 1, buf);
        hotfix_version_tag(text, usize::MAX, buf);
    }
    fails! { Enum:
        hotfix_next_version(text, len, 0, buf);
        hotfix_next_version(text, len, 3, buf);
        hotfix_next_version(text, len, i32::MIN, buf);
    }
    fails! { Unit:
        hotfix_timestamp_tag(i64::MAX, buf);
    }
    fails! { Plan:
        hotfix_branch_name(null(), 0, null(), 0, buf);
        hotfix_next_version(null(), 0, 1, buf);
        hotfix_version_tag(null(), 0, buf);
    }
    // Without a prefix, a name is made of the description alone.
    // SAFETY: live text and buffer.
    let name = buffer(|out, e| unsafe { hotfix_branch_name(text, len, null(), 0, out, e) });
    assert_eq!(name.unwrap(), "1-2-3");
    // What is wrong is a parameter.
    // SAFETY: no text, and a live buffer.
    let failed = unsafe {
        [
            buffer(|out, e| hotfix_branch_name(null(), 0, null(), 0, out, e)),
            buffer(|out, e| hotfix_version_tag(null(), 0, out, e)),
        ]
    };
    assert_eq!(failed.map(|it| it.unwrap_err().path), ["description", "version"]);
}
