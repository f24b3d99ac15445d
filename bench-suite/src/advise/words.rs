//! The advice for people.

use std::fmt::Write;

use report::{RunRecord, format};

use crate::{
    advise::advice::{Advice, Comparison, Entry, Round},
    exchange::check_is_adapter,
};

/// The recommendation in a few sentences.
pub fn recommendation(advice: &Advice) -> Vec<String> {
    let winner = &advice.winner;
    let setting = if winner.method == "head" { "head learning rate" } else { "learning rate" };
    let mut words = vec![
        format!("Use {} at a {setting} of {}.", winner.label, winner.learning_rate),
        format!(
            "It was right on {} of {} held-out training rows.",
            percent(winner.accuracy()),
            winner.n_rows()
        ),
    ];
    words.extend(advice.comparisons.first().map(confidence));
    let is_smaller = |other: &&Comparison| !other.is_shown && 2 * other.stored < winner.stored;
    let smaller = advice.comparisons.iter().filter(is_smaller).min_by_key(|other| other.stored);
    words.extend(smaller.map(|other| {
        let (less, more) = (format::count(other.stored), format::count(winner.stored));
        format!("{} may do as well and keeps {less} numbers instead of {more}.", other.label)
    }));
    if let Some(accuracy) = advice.test_accuracy {
        words.push(format!(
            "Trained on all {} training rows it is right on {} of the {} test rows, which were \
             read once, after everything was decided; the trained file has {}.",
            advice.n_train,
            percent(Some(accuracy)),
            advice.n_test,
            format::bytes(advice.bytes_on_disk as f64)
        ));
    }
    words
}

fn confidence(second: &Comparison) -> String {
    let Comparison {
        label, winner_accuracy, accuracy, only_winner, only_other, p, is_shown, ..
    } = second;
    let [winner, other] = [winner_accuracy, accuracy].map(|share| percent(Some(*share)));
    let rows = format!(
        "on the same rows {winner} against {other}; {only_winner} rows only the first gets right, \
         {only_other} only the second; p = {p:.2} by McNemar's test"
    );
    match is_shown {
        true => format!("It is better than the second, {label}: {rows}."),
        false => format!("No difference to the second, {label}, is shown: {rows}."),
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or("–".to_owned(), |share| format!("{:.1}%", 100.0 * share))
}

/// The whole as a page of Markdown; `record` is that of the final training.
pub fn markdown(advice: &Advice, record: &RunRecord, results: &str) -> String {
    let mut page = format!("# Advice for {}\n\n{}\n", advice.task, advice.words.join("\n"));
    let run = &advice.run;
    page += "\n## Use it\n\n```sh\n";
    let _ = writeln!(page, "bench-suite predict {run} --results {results} \"a text\"");
    if check_is_adapter(record).is_ok() {
        let _ = writeln!(page, "bench-suite export {run} --results {results} --to adapter-{run}");
    }
    let _ = writeln!(page, "bench-suite show {run} --results {results}");
    page += "```\n\nThe same training again:\n\n```sh\n";
    let _ = writeln!(page, "{}\n```\n\n## How it was found\n\n{}", advice.command, advice.rule);
    let minutes = |seconds: f64| seconds / 60.0;
    let (spent, budget) = (minutes(advice.spent_seconds), minutes(advice.budget_seconds));
    let _ = writeln!(page, "It took {spent:.1} of {budget:.1} minutes.");
    page.extend(advice.notes.iter().map(|note| format!("{note}\n")));
    for (i, round) in advice.rounds.iter().enumerate().rev() {
        let _ = writeln!(page, "\n### Round {}\n\n{}", i + 1, table(round));
    }
    page
}

fn table(round: &Round) -> String {
    let mut table = format!(
        "{} steps ({:.1} passes over the rows), {} of the folds held out, one after the other.\n\n\
         | candidate | learning rate | right | rows | loss | seconds |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n",
        round.steps, round.epochs, round.folds
    );
    for place in round.ranking() {
        let result = &round.results[place];
        let Entry { label, learning_rate, losses, seconds, .. } = result;
        let loss = losses.iter().sum::<f64>() / losses.len().max(1) as f64;
        let (right, rows) = (percent(result.accuracy()), result.n_rows());
        let _ = writeln!(
            table,
            "| {label} | {learning_rate} | {right} | {rows} | {loss:.3} | {seconds:.1} |"
        );
    }
    let left: Vec<String> = round
        .results
        .iter()
        .filter(|result| result.accuracies.is_empty())
        .map(|result| format!("{} at {}", result.label, result.learning_rate))
        .collect();
    if !left.is_empty() {
        let _ = write!(table, "\nDiverged, or not tried for want of time: {}.", left.join(", "));
    }
    table
}
