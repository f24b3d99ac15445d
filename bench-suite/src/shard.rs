//! A part of a suite, for one machine of several.

use std::{fmt, str::FromStr};

/// Part `index` of `of`, counted from 0: every `of`-th run, so that the budgets of a method, which
/// stand together in a suite, are spread over the parts. Runs that share a search count as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    of: usize,
}

impl Shard {
    /// All runs.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Whether run number `i` of the suite, from 0, belongs to this part; runs that share a search
    /// have one number.
    pub fn has(self, i: usize) -> bool {
        i % self.of == self.index
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(index, of)| {
            Some(Self { index: index.trim().parse().ok()?, of: of.trim().parse().ok()? })
        });
        match parts {
            None => Err("expected i/n, e.g. 0/4 for the first of four parts".to_owned()),
            Some(Self { of: 0, .. }) => Err("a suite cannot be divided into 0 parts".to_owned()),
            Some(Self { index, of }) if index >= of => {
                Err(format!("parts are counted from 0: the last of {of} is {}/{of}", of - 1))
            }
            Some(shard) => Ok(shard),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_is_in_one_part_and_parts_differ_by_one_run_at_most() {
        for of in 1..9 {
            let parts: Vec<Shard> = (0..of).map(|index| Shard { index, of }).collect();
            for n in 0..30 {
                let holders = |i| parts.iter().filter(|part| part.has(i)).count();
                assert!((0..n).all(|i| holders(i) == 1));
                let sizes = parts.iter().map(|part| (0..n).filter(|&i| part.has(i)).count());
                let (min, max) = (sizes.clone().min().unwrap(), sizes.max().unwrap());
                assert!(max - min <= 1, "{n} runs in {of} parts: {min} to {max}");
            }
        }
    }

    #[test]
    fn a_part_is_read_as_it_is_written_and_nonsense_is_explained() {
        for text in ["0/1", "3/4"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        let error = |text: &str| text.parse::<Shard>().unwrap_err();
        assert!(error("4/4").contains("the last of 4 is 3/4"));
        assert!(error("0/0").contains("0 parts"));
        for text in ["", "1", "a/b", "-1/2", "1/", "1/2/3"] {
            assert!(error(text).contains("expected i/n"), "{text}");
        }
    }
}
