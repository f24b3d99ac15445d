//! `predict`: classifies texts with a trained run.

use std::{
    fs::File,
    io::{BufRead, BufReader, IsTerminal, stdin},
    path::Path,
};

use anyhow::{Context, Result, bail};
use datasets::{Example, FileTask};
use serde_json::{Map, Value, json};

use super::{find::find, store};
use crate::{
    cli::{Common, PredictArgs},
    device::choose,
    finished::Finished,
    measure::{largest, log_probabilities},
};

/// Texts that are classified, and told, at a time: all that is in memory of a large input.
const CHUNK: usize = 1024;

type Texts = Box<dyn Iterator<Item = Result<Example>>>;

pub fn predict(args: &PredictArgs, common: &Common) -> Result<()> {
    let (results, record) = find(&args.run, args.results.as_deref())?;
    let mut texts = texts(args)?.peekable();
    if texts.peek().is_none() {
        bail!("no text; give texts, --file FILE, or - to read standard input");
    }
    let run = Finished::load(&results, record, &store(common)?, choose(common.device)?)?;
    let classes = &run.record.task.classes;
    let print: fn(&[Answer], &[String], bool) -> Result<()> = match (common.json, args.csv) {
        (true, _) => print_json_lines,
        (_, true) => print_csv,
        _ => print_for_people,
    };
    let mut is_first = true;
    loop {
        let chunk: Vec<Example> = texts.by_ref().take(CHUNK).collect::<Result<_>>()?;
        if chunk.is_empty() {
            return Ok(());
        }
        let logits = run.scores(&run.model.encoder.encode(&chunk)?);
        let answers: Vec<Answer> = chunk.into_iter().zip(logits).map(Answer::new).collect();
        print(&answers, classes, is_first)?;
        is_first = false;
    }
}

/// The texts that the command line gives or names. What can be wrong with a table is found here.
fn texts(args: &PredictArgs) -> Result<Texts> {
    let example = |text: String, pair| Example { text, pair, label: 0 };
    if let Some(path) = &args.file {
        if is_plain(args, path) {
            let file = File::open(path).with_context(|| {
                format!("{}: cannot be read; check the path and its permissions", path.display())
            })?;
            return Ok(lines(BufReader::new(file), path.display().to_string()));
        }
        let columns = FileTask {
            text: args.text.clone(),
            pair: args.pair.clone(),
            format: args.format,
            encoding: args.encoding.unwrap_or_default(),
            header: args.header,
            ..FileTask::default()
        };
        let rows = datasets::texts(path, &columns)?;
        return Ok(Box::new(rows.into_iter().map(move |row| Ok(example(row.text, row.pair)))));
    }
    match args.texts.as_slice() {
        [dash] if dash == "-" => {}
        [] if stdin().is_terminal() => return Ok(Box::new(std::iter::empty())),
        [] => {}
        _ => {
            let texts = args.texts.clone().into_iter();
            return Ok(Box::new(texts.map(move |text| Ok(example(text, None)))));
        }
    }
    Ok(lines(stdin().lock(), "standard input".to_owned()))
}

/// A file of texts alone, one a line.
fn is_plain(args: &PredictArgs, path: &Path) -> bool {
    let is_text = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("txt"));
    is_text && args.format.is_none()
}

/// One text a line.
fn lines(reader: impl BufRead + 'static, name: String) -> Texts {
    let example = move |(i, line): (usize, std::io::Result<String>)| {
        let text = line.with_context(|| format!("{name} line {}: cannot be read", i + 1))?;
        Ok(Example { text: text.trim().to_owned(), pair: None, label: 0 })
    };
    Box::new(reader.lines().enumerate().map(example))
}

/// A text and what the run says of it.
struct Answer {
    example: Example,
    logits: Vec<f64>,
    probabilities: Vec<f64>,
    best: usize,
}

impl Answer {
    fn new((example, logits): (Example, Vec<f64>)) -> Self {
        let shares = log_probabilities(&logits);
        let best = largest(&shares);
        let probabilities = shares.into_iter().map(f64::exp).collect();
        Self { example, logits, probabilities, best }
    }
}

fn print_for_people(answers: &[Answer], classes: &[String], _is_first: bool) -> Result<()> {
    for Answer { example, probabilities, best, .. } in answers {
        let pair = example.pair.as_ref().map(|pair| format!(" | {pair}")).unwrap_or_default();
        let share = 100.0 * probabilities[*best];
        println!("{:<16} {share:>5.1}%  {}{pair}", classes[*best], example.text);
    }
    Ok(())
}

/// One object a line.
fn print_json_lines(answers: &[Answer], classes: &[String], _is_first: bool) -> Result<()> {
    let by_class = |numbers: &[f64]| {
        let named = classes.iter().cloned().zip(numbers.iter().map(|number| json!(number)));
        Value::Object(named.collect::<Map<_, _>>())
    };
    for Answer { example, logits, probabilities, best } in answers {
        let mut line = json!({ "text": example.text });
        if let Some(pair) = &example.pair {
            line["pair"] = json!(pair);
        }
        line["label"] = json!(classes[*best]);
        line["probabilities"] = by_class(probabilities);
        line["logits"] = json!(logits);
        println!("{line}");
    }
    Ok(())
}

/// A table with a header: text, pair if there is one, label, and each class's probability.
fn print_csv(answers: &[Answer], classes: &[String], is_first: bool) -> Result<()> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let has_pairs = answers.iter().any(|answer| answer.example.pair.is_some());
    if is_first {
        let pair = has_pairs.then(|| "pair".to_owned());
        let shares = classes.iter().map(|class| format!("probability_{class}"));
        let head = ["text".to_owned()].into_iter().chain(pair).chain(["label".to_owned()]);
        table.write_record(head.chain(shares))?;
    }
    for Answer { example, probabilities, best, .. } in answers {
        let texts = [example.text.clone()].into_iter().chain(example.pair.clone());
        let shares = probabilities.iter().map(f64::to_string);
        table.write_record(texts.chain([classes[*best].clone()]).chain(shares))?;
    }
    print!("{}", String::from_utf8(table.into_inner()?)?);
    Ok(())
}
