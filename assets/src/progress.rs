//! What a person sees of a download.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressStyle};

/// One download: a line that says what is fetched, and on a terminal a bar of bytes under it.
pub(crate) struct Transfer {
    bar: ProgressBar,
}

impl Transfer {
    /// Writes the line and, if `with_bar` and stderr is a terminal, opens the bar.
    /// `asset_bytes` is the size of the files, `bytes` that of what comes over the wire.
    pub fn start(
        with_bar: bool,
        name: &str,
        source: &str,
        asset_bytes: u64,
        bytes: u64,
    ) -> Transfer {
        eprintln!("fetching {name} ({}) from {source}", megabytes(asset_bytes));
        if !(with_bar && stderr().is_terminal()) {
            return Transfer { bar: ProgressBar::hidden() };
        }
        let bar = ProgressBar::new(bytes);
        let template =
            "{wide_bar} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Transfer { bar }
    }

    /// That many more bytes have come.
    pub fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// That many bytes have come in all. More than announced shows as all of them.
    pub fn set(&self, bytes: u64) {
        self.bar.set_position(bytes.min(self.bar.length().unwrap_or(bytes)));
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A size for people, e.g. `90.9 MB`.
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_decimal_megabytes_with_one_digit() {
        assert_eq!(megabytes(90_868_376), "90.9 MB");
    }

    #[test]
    fn a_transfer_without_a_terminal_accepts_more_bytes_than_announced() {
        let transfer = Transfer::start(false, "a", "b", 1, 1);
        transfer.set(5);
        transfer.advance(5);
    }
}
