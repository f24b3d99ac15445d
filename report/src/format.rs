//! Numbers for people. Files for machines carry full figures instead.

use crate::stats::Estimate;

/// `73,728`.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count in three digits: `950`, `73.7k`, `22.7M`.
pub fn short_count(n: f64) -> String {
    scaled(n, &["", "k", "M", "G", "T"])
}

const BYTES: [&str; 5] = [" B", " kB", " MB", " GB", " TB"];

/// Bytes in three digits, powers of 1000: `296 kB`.
pub fn bytes(n: f64) -> String {
    scaled(n, &BYTES)
}

/// Bytes over seeds, in the unit and with the digits of their mean: `446 MB`, `90.8 ± 2.0 MB`.
pub fn bytes_over_seeds(bytes: &Estimate) -> String {
    let (size, digits, unit) = scale(bytes.mean, &BYTES);
    over_seeds(bytes, |n| format!("{:.digits$}", n / size)) + unit
}

fn scaled(n: f64, units: &[&str]) -> String {
    let (size, digits, unit) = scale(n, units);
    let number = format!("{:.digits$}", n / size);
    format!("{}{unit}", number.trim_end_matches(".0"))
}

/// The one of `units`, a factor 1000 apart, that shows `n` in three digits: its size, the digits
/// after the point, its name.
fn scale<'u>(n: f64, units: &[&'u str]) -> (f64, usize, &'u str) {
    let (mut size, mut i) = (1.0, 0);
    // 999.5 would be shown as 1000.
    while n / size >= 999.5 && i + 1 < units.len() {
        size *= 1000.0;
        i += 1;
    }
    let digits = if i == 0 || n / size >= 99.95 { 0 } else { 1 };
    (size, digits, units[i])
}

/// A share as percent with one decimal: `82.9`.
pub fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

/// A small share with two digits that count: `0.32 %`, `0.0041 %`, `12 %`.
pub fn small_share(share: f64) -> String {
    let percent = share * 100.0;
    if percent <= 0.0 || percent >= 9.95 {
        return format!("{percent:.0} %");
    }
    let digits = (1.0 - percent.log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{percent:.digits$} %")
}

/// A learning rate with the digits that count: `0.004`, `4.4e-4`.
pub fn rate(rate: f64) -> String {
    let short = format!("{rate:.1e}").replace(".0e", "e");
    let rounded: f64 = short.parse().unwrap_or(rate);
    if (0.001..1.0).contains(&rounded) { format!("{rounded}") } else { short }
}

/// An accuracy over seeds, in percent: `82.9` or `82.9 ± 0.6`.
pub fn accuracy(estimate: &Estimate) -> String {
    over_seeds(estimate, percent)
}

/// A mean over seeds, with its 95 % interval where there are several.
pub fn over_seeds(estimate: &Estimate, show: impl Fn(f64) -> String) -> String {
    match estimate.half_width() {
        Some(half_width) => format!("{} ± {}", show(estimate.mean), show(half_width)),
        None => show(estimate.mean),
    }
}

/// Seconds with as many digits as tell something: `0.42`, `8.1`, `312`.
pub fn seconds(seconds: f64) -> String {
    format!("{seconds:.*}", second_digits(seconds))
}

/// Seconds over seeds, with the digits of their mean: `8.1` or `8.1 ± 0.4`.
pub fn seconds_over_seeds(seconds: &Estimate) -> String {
    let digits = second_digits(seconds.mean);
    over_seeds(seconds, |seconds| format!("{seconds:.digits$}"))
}

fn second_digits(seconds: f64) -> usize {
    match seconds {
        s if s >= 99.95 => 0,
        s if s >= 0.995 => 1,
        _ => 2,
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

/// `1 seed`, `3 seeds`.
pub fn plural(n: usize, noun: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!(
            [0, 999, 1000, 73_728, 22_713_216].map(count),
            ["0", "999", "1,000", "73,728", "22,713,216"]
        );
    }

    #[test]
    fn large_numbers_keep_three_digits_and_never_show_1000_of_a_unit() {
        assert_eq!(
            [0.0, 768.0, 999.4, 999.6, 7680.0, 73_728.0].map(short_count),
            ["0", "768", "999", "1k", "7.7k", "73.7k"]
        );
        assert_eq!([22_713_216.0, 999_960.0].map(short_count), ["22.7M", "1M"]);
        assert_eq!([3080.0, 295_600.0, 90.9e6].map(bytes), ["3.1 kB", "296 kB", "90.9 MB"]);
    }

    #[test]
    fn shares_keep_two_digits_that_count() {
        assert_eq!(
            [0.0032, 0.000_041, 0.12, 1.0, 0.0].map(small_share),
            ["0.32 %", "0.0041 %", "12 %", "100 %", "0 %"]
        );
    }

    #[test]
    fn an_accuracy_shows_an_interval_only_if_it_has_one() {
        assert_eq!(accuracy(&Estimate::of(&[0.829]).unwrap()), "82.9");
        assert_eq!(accuracy(&Estimate::of(&[0.80, 0.82, 0.84]).unwrap()), "82.0 ± 5.0");
    }

    #[test]
    fn an_interval_has_the_unit_and_the_digits_of_its_mean() {
        let of = |values: &[f64]| Estimate::of(values).unwrap();
        // t(2) = 4.303: 4.303 · 0.8 / √3 = 1.99
        assert_eq!(bytes_over_seeds(&of(&[90e6, 90.8e6, 91.6e6])), "90.8 ± 2.0 MB");
        assert_eq!(bytes_over_seeds(&of(&[446e6, 446.8e6, 447.6e6])), "447 ± 2 MB");
        assert_eq!(bytes_over_seeds(&of(&[446e6])), "446 MB");
        assert_eq!(seconds_over_seeds(&of(&[8.0, 8.1, 8.2])), "8.1 ± 0.2");
        assert_eq!(seconds_over_seeds(&of(&[311.0, 312.0, 313.0])), "312 ± 2");
        assert_eq!(seconds_over_seeds(&of(&[0.42])), "0.42");
    }

    #[test]
    fn seconds_keep_what_tells_something() {
        assert_eq!([0.4231, 8.14, 99.96, 312.4].map(seconds), ["0.42", "8.1", "100", "312"]);
    }

    #[test]
    fn rates_keep_two_digits() {
        assert_eq!(
            [0.004, 0.000_444_4, 0.0013333, 5e-5].map(rate),
            ["0.004", "4.4e-4", "0.0013", "5e-5"]
        );
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(plural(1, "seed") + " " + &plural(1200, "row"), "1 seed 1,200 rows");
    }
}
