//! Catches panics at the C boundary, and poisons the handle that a panic went through.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Fallible, hotfix_error};
use crate::slot;
use crate::status::hotfix_status;

/// Runs the body of an exported function: an error is returned through `err`, a panic becomes a
/// status.
#[inline]
pub(crate) unsafe fn guard(
    err: *mut *mut hotfix_error,
    body: impl FnOnce() -> Fallible<()>,
) -> hotfix_status {
    if !err.is_null() {
        // SAFETY: not null, and writable by the header's contract.
        unsafe { err.write(std::ptr::null_mut()) };
    }
    // Unwind safe: the body can change only a handle, and the panic poisons that handle.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => hotfix_status::Ok,
        // SAFETY: `err` is null or writable, as above.
        Ok(Err(error)) => unsafe { report(err, error) },
        // SAFETY: `err` is null or writable, as above.
        Err(payload) => unsafe { report_panic(err, payload) },
    }
}

#[cold]
unsafe fn report(err: *mut *mut hotfix_error, error: Box<hotfix_error>) -> hotfix_status {
    let status = error.status;
    if !err.is_null()
        && let Ok(error) = catch_unwind(AssertUnwindSafe(|| slot::put(error.finish())))
    {
        // SAFETY: not null, and writable by the header's contract.
        unsafe { err.write(error) };
    }
    status
}

#[cold]
unsafe fn report_panic(err: *mut *mut hotfix_error, payload: Box<dyn Any + Send>) -> hotfix_status {
    let made = catch_unwind(AssertUnwindSafe(|| {
        let said = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned());
        hotfix_error::panicked(said.as_deref().unwrap_or("no message"))
    }));
    // A payload may panic when it is dropped.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    if let Ok(error) = made {
        // SAFETY: `err` is null or writable, by the header's contract.
        unsafe { report(err, error) };
    }
    hotfix_status::Panic
}

/// A value that a panic poisons.
pub(crate) struct Guarded<T> {
    poisoned: AtomicBool,
    value: T,
}

/// Poisons the value when it is dropped, that is, while a panic unwinds; on success it is
/// forgotten.
struct Bomb<'a>(&'a AtomicBool);

impl Drop for Bomb<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl<T> Guarded<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { poisoned: AtomicBool::new(false), value }
    }

    #[inline]
    pub(crate) fn read<R>(&self, name: &str, body: impl FnOnce(&T) -> Fallible<R>) -> Fallible<R> {
        self.check(name)?;
        let bomb = Bomb(&self.poisoned);
        let result = body(&self.value);
        std::mem::forget(bomb);
        result
    }

    #[inline]
    pub(crate) fn change<R>(
        &mut self,
        name: &str,
        body: impl FnOnce(&mut T) -> Fallible<R>,
    ) -> Fallible<R> {
        self.check(name)?;
        let bomb = Bomb(&self.poisoned);
        let result = body(&mut self.value);
        std::mem::forget(bomb);
        result
    }

    /// Changes several at once: a panic poisons them all.
    pub(crate) fn change_all<R>(
        all: Vec<&mut Self>,
        name: &str,
        body: impl FnOnce(Vec<&mut T>) -> Fallible<R>,
    ) -> Fallible<R> {
        for guarded in &all {
            guarded.check(name)?;
        }
        let (bombs, values): (Vec<_>, Vec<_>) =
            all.into_iter().map(|guarded| (Bomb(&guarded.poisoned), &mut guarded.value)).unzip();
        let result = body(values);
        bombs.into_iter().for_each(std::mem::forget);
        result
    }

    /// The value, if it is not poisoned.
    pub(crate) fn value(&self, name: &str) -> Fallible<&T> {
        self.check(name)?;
        Ok(&self.value)
    }

    #[inline]
    fn check(&self, name: &str) -> Fallible<()> {
        if self.poisoned.load(Ordering::Acquire) {
            Err(hotfix_error::poisoned(name))
        } else {
            Ok(())
        }
    }
}
