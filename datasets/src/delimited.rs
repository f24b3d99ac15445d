//! Separated values.
//!
//! TSV has no quoting: in the tab-separated files of GLUE a lone `"` is a character like any
//! other, and a reader that takes it for a quote swallows the lines up to the next one.
//! CSV is read by the rules of RFC 4180 and strictly: readers that forgive a quote which is
//! never closed, or text after a closing one, lose rows in silence.

use std::iter::Peekable;
use std::str::Chars;

use crate::LineProblem;

/// One record and the line it starts in, from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub line: usize,
    pub fields: Vec<String>,
}

/// All lines that are not empty, cut at tabs.
pub(crate) fn tsv(text: &str) -> Vec<Record> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty());
    lines
        .map(|(i, line)| Record {
            line: i + 1,
            fields: line.split('\t').map(str::to_owned).collect(),
        })
        .collect()
}

/// All records that are not empty lines, or the line and the problem of the first bad one.
pub(crate) fn csv(text: &str) -> Result<Vec<Record>, (usize, LineProblem)> {
    let mut reader = Reader { rest: text.chars().peekable(), line: 1 };
    let mut records = Vec::new();
    while reader.rest.peek().is_some() {
        let line = reader.line;
        let fields = reader.record()?;
        if fields != [""] {
            records.push(Record { line, fields });
        }
    }
    Ok(records)
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

impl Reader<'_> {
    fn record(&mut self) -> Result<Vec<String>, (usize, LineProblem)> {
        let mut fields = Vec::new();
        loop {
            let quoted = self.rest.next_if_eq(&'"').is_some();
            fields.push(if quoted { self.quoted()? } else { self.bare() });
            match self.rest.next() {
                Some(',') => {}
                Some('\n') => {
                    self.line += 1;
                    return Ok(fields);
                }
                None => return Ok(fields),
                Some(_) => return Err((self.line, LineProblem::TextAfterQuote)),
            }
        }
    }

    fn bare(&mut self) -> String {
        let mut field = String::new();
        while let Some(c) = self.rest.next_if(|&c| c != ',' && c != '\n') {
            field.push(c);
        }
        field
    }

    fn quoted(&mut self) -> Result<String, (usize, LineProblem)> {
        let opened = self.line;
        let mut field = String::new();
        while let Some(c) = self.rest.next() {
            if c == '"' && self.rest.next_if_eq(&'"').is_none() {
                return Ok(field);
            }
            self.line += usize::from(c == '\n');
            field.push(c);
        }
        Err((opened, LineProblem::OpenQuote))
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;

    fn fields(record: &Record) -> Vec<&str> {
        record.fields.iter().map(String::as_str).collect()
    }

    #[test]
    fn what_the_csv_crate_writes_is_read_back_the_same() {
        let mut rng = StdRng::seed_from_u64(5);
        let pieces = ["a", "b c", ",", "\"", "\n", "é", ""];
        let rows: Vec<Vec<String>> = (0..500)
            .map(|i| {
                let mut field = || (0..4).map(|_| pieces[rng.random_range(0..7)]).collect();
                vec![field(), format!("row {i}"), field()]
            })
            .collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        rows.iter().for_each(|row| writer.write_record(row).unwrap());
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let read: Vec<_> = super::csv(&text).unwrap().into_iter().map(|r| r.fields).collect();
        assert_eq!(read, rows);
    }

    #[test]
    fn line_numbers_count_the_lines_inside_quotes_and_empty_lines() {
        let records = csv("a,b\n\n\"two\nlines\",1\nlast,2").unwrap();
        assert_eq!(records.iter().map(|r| r.line).collect::<Vec<_>>(), [1, 3, 5]);
        assert_eq!(fields(&records[1]), ["two\nlines", "1"]);
        assert_eq!(fields(&records[2]), ["last", "2"]);
    }

    #[test]
    fn a_quote_inside_a_bare_field_is_a_character() {
        assert_eq!(fields(&csv("a 5\" pipe,1").unwrap()[0]), ["a 5\" pipe", "1"]);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_reported_where_it_opens() {
        assert_eq!(csv("t,l\n\"a,1\nb,2\n"), Err((2, LineProblem::OpenQuote)));
    }

    #[test]
    fn text_after_a_closing_quote_is_reported_with_its_line() {
        assert_eq!(csv("t,l\n\"a\nb\" c,1\n"), Err((3, LineProblem::TextAfterQuote)));
    }

    #[test]
    fn a_lone_quote_in_tsv_swallows_nothing() {
        let records = tsv("\"a\t1\nb\t2\n");
        assert_eq!(records.len(), 2);
        assert_eq!(fields(&records[0]), ["\"a", "1"]);
    }
}
