use crate::example::studies;
use crate::record::RunRecord;
use crate::render::Page;

/// All that a page says in words.
fn words(records: &[RunRecord]) -> String {
    let page = Page::of("title", 0, records).unwrap();
    let mut words: Vec<String> = Vec::new();
    for section in page.sections {
        words.extend(section.words);
        words.extend(section.parts.into_iter().flat_map(|part| part.finding.sentences));
    }
    words.join("\n")
}

fn says(records: &[RunRecord], parts: &[&str]) {
    let words = words(records);
    for part in parts {
        assert!(words.contains(part), "{part:?} is not in:\n{words}");
    }
}

#[test]
fn the_advice_on_alpha_and_the_wish_for_rank_are_held_against_the_records() {
    says(
        &studies::ranks(),
        &[
            "α = 2r, as often advised, helped against α = r at this learning rate",
            "The best on the validation split is rank 64 with 250 rows, rank 64 with 1,000 rows \
             and rank 64 with 4,000 rows: more data did not consistently want more rank.",
            "The smallest that is not shown to be worse than it is rank ",
        ],
    );
}

#[test]
fn places_are_held_against_the_usual_one() {
    says(
        &studies::places(),
        &[
            "With 207,360 trained numbers each, the best place on the validation split is every \
             role",
            "Shown to differ from query + value (",
            "layers 0 to 1 −",
            "No difference shown between query + value",
        ],
    );
}

#[test]
fn a_pruned_budget_is_held_against_an_even_one_and_its_map_is_told() {
    says(
        &studies::pruned(),
        &[
            "AdaLoRA against LoRA at an equal final rank of 1: ",
            "Mean rank that survives by role in AdaLoRA on 6 roles target_rank=8: ",
            "The upper half of the layers keeps ",
        ],
    );
}

#[test]
fn starts_lengths_and_speed_are_told() {
    says(
        &studies::lengths(),
        &[
            "Prompt Tuning: from tokens 1 (",
            "is the smallest that is not shown to be worse",
            "against Prompt Tuning started from its default (vocabulary): N(0,1) −",
            ", worse",
            "Steps until the validation accuracy is within one point of its own best, at tokens = \
             20: ",
        ],
    );
}

#[test]
fn the_winner_is_told_for_every_number_of_rows() {
    says(
        &studies::scarce(),
        &[
            "The best PEFT method on the validation split is ",
            " with 64 rows",
            "Shown to be better than the head alone: ",
            "Shown to be worse than full fine-tuning: ",
        ],
    );
}

#[test]
fn what_generalises_is_told_for_every_other_task() {
    says(
        &studies::elsewhere(),
        &["On amazon (400 rows) the highest is ", "Shown to be better than the head alone: "],
    );
}

#[test]
fn the_search_says_what_is_touchy_what_diverged_and_what_lies_at_an_edge() {
    says(
        &studies::tuned(),
        &["The learning rate matters most for ", "diverged. No choice lies at"],
    );
}
