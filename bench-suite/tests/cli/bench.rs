//! Measurements: what is told must hang together; how fast anything is, is for no test.

use std::path::Path;

use bench_suite::{
    arm::Arm,
    timing::{
        growth::Growth, launches::Launches, memory::Memory, page::filled, rounds::Request,
        side::Side, speed::Speed, suites::SuiteTimes, targets,
    },
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    desk::{Desk, TINY},
    tiny,
};

const QUICK: &str = "--batch 8 --steps 2 --rounds 2";

#[test]
fn every_method_is_measured_on_rows_and_on_a_fixed_length() {
    let desk = Desk::new();
    let words = format!("bench {TINY} {QUICK} --work rows,16 --to numbers");
    let table = desk.run(&words).ok().stdout;
    let json = std::fs::read(desk.path("numbers/speed.json")).unwrap();
    let speed: Speed = serde_json::from_slice(&json).unwrap();
    let names: Vec<&str> = Arm::names().into_iter().filter(|name| *name != "majority").collect();
    assert_eq!(speed.measured.len(), 2 * names.len());
    for measured in &speed.measured {
        assert!(names.contains(&measured.method.as_str()) && table.contains(&measured.title));
        assert_eq!((measured.steps, measured.train_seconds.len()), (2, 2), "{measured:?}");
        match measured.work.as_str() {
            // Three words between a first and a last token, in batches of at most 8.
            "rows" => assert!(measured.tokens % 5 == 0 && measured.tokens <= 2 * 8 * 5),
            _ => assert_eq!(measured.tokens, 2 * 8 * 16, "{measured:?}"),
        }
        assert!(measured.first_step_seconds > 0.0 && measured.phases.sum() > 0.0);
        assert_eq!(measured.evaluation_seconds.is_empty(), measured.work != "rows");
        let spread = measured.step_ms().unwrap();
        assert!(0.0 < spread.low && spread.low <= spread.median && spread.median <= spread.high);
        #[cfg(target_os = "linux")]
        assert!(measured.peak_bytes.unwrap() > 1_000_000);
    }
    assert!(speed.table().lines().all(|line| table.contains(line)), "{table}");
    assert_eq!(speed.ratios(), None);
}

/// Answers as benchmarks/peft_side.py does, and takes a thousand seconds for everything.
#[cfg(unix)]
const SLOW: &str = r#"#!/bin/sh
if [ "$3" = versions ]; then echo '{"torch": "0"}'; exit; fi
read -r job
echo 'first step'
echo ready
while read -r request; do
    echo '{"seconds": 1000.0, "steps": 2, "tokens": 9, "peak_bytes": 1000, "phases": null}'
done
"#;

#[cfg(unix)]
#[test]
fn what_is_measured_in_parts_against_another_side_comes_together_on_the_page() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    desk.write("python", SLOW);
    std::fs::set_permissions(desk.path("python"), PermissionsExt::from_mode(0o755)).unwrap();
    let places = ["targets", "ratios"].map(|name| format!("<!-- {name} -->\n<!-- /{name} -->\n"));
    desk.write("page.md", places.concat());
    let page = || std::fs::read_to_string(desk.path("page.md")).unwrap();
    let kept = "--to numbers --page page.md";
    let bench = |words: &str| {
        desk.run(&format!("bench {TINY} {QUICK} --against ./python {kept} {words}")).ok();
    };
    bench("--method lora --work rows");
    bench("--method lora,head --work 16");
    bench("--method head --work rows");
    let file = desk.path("numbers/against-f32-rows.json");
    let rows: Speed = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    // Two methods, ours, theirs, and theirs with rows at random.
    assert_eq!(rows.measured.len(), 6);
    let whole = page();
    for title in ["| LoRA", "| Head only"] {
        let cells = whole.lines().find(|line| line.starts_with(title)).unwrap().split('|');
        let cells: Vec<&str> = cells.map(str::trim).filter(|cell| !cell.is_empty()).collect();
        // Far faster on rows, on 16 tokens and in evaluation, with far more memory.
        assert_eq!(cells.len(), 5, "{whole}");
        assert!(cells[1..4].iter().all(|cell| !cell.contains('✗')), "{whole}");
        assert!(cfg!(not(target_os = "linux")) || cells[4].ends_with('✗'), "{whole}");
    }
    desk.write("page.md", places.concat());
    desk.run(&format!("bench --targets {kept}")).ok();
    assert_eq!(page(), whole);
}

#[test]
fn phases_take_no_longer_than_the_steps_that_they_are_parts_of() {
    let desk = Desk::new();
    let mut worker = desk.program();
    worker.args(format!("bench --worker {TINY} --method lora --work 16 {QUICK}").split(' '));
    let mut side = Side::start("it", worker, None).unwrap();
    let round = side.ask(Request::Phases).unwrap();
    let phases = round.phases.unwrap();
    assert!(phases.sum() <= round.seconds, "{round:?}");
    for part in [phases.data, phases.forward, phases.backward, phases.optimizer] {
        assert!(part > 0.0, "{round:?}");
    }
}

#[test]
fn growth_leaves_out_what_the_model_cannot_take_and_draws_the_rest() {
    let desk = Desk::new();
    desk.write("page.md", "# Speed\n<!-- growth -->\nold\n<!-- /growth -->\nThe end.\n");
    let words = "bench --growth --work 16 --batch 2 --steps 1 --rounds 1 --max-tokens 32";
    desk.run(&format!("{words} {TINY} --to numbers --page page.md")).ok();
    let json = std::fs::read(desk.path("numbers/growth.json")).unwrap();
    let growth: Value = serde_json::from_slice(&json).unwrap();
    let values = |title: &str| -> Vec<u64> {
        let sweeps = growth["sweeps"].as_array().unwrap();
        let sweep = sweeps.iter().find(|sweep| sweep["title"] == title).unwrap();
        let points = sweep["points"].as_array().unwrap();
        points.iter().map(|point| point["value"].as_u64().unwrap()).collect()
    };
    assert_eq!(values("LoRA, rank"), [1, 2, 4, 8, 16]);
    assert_eq!(values("LoRA, layers"), [1, 2]);
    assert_eq!(values("LoRA, tokens in a row"), [8, 16, 32, 64, 128]);
    for chart in ["growth-time.svg", "growth-memory.svg"] {
        let svg = std::fs::read_to_string(desk.path("numbers").join(chart)).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("LoRA, layers"), "{chart}");
    }
    let page = std::fs::read_to_string(desk.path("page.md")).unwrap();
    assert!(page.contains("](numbers/growth-time.svg)"), "{page}");
    assert!(page.contains("| LoRA, rank") && page.contains("The end.") && !page.contains("old"));
}

#[test]
fn the_parts_of_the_memory_are_counted_from_what_is_trained() {
    let desk = Desk::new();
    let words = "bench --memory --work 16 --batch 2 --steps 1 --json";
    let json = desk.run(&format!("{words} {TINY}")).ok().json();
    let memory: Memory = serde_json::from_value(json).unwrap();
    let part = |title: &str| memory.parts.iter().find(|part| part.title == title).unwrap();
    let head = 4 * (tiny::WIDTH * 2 + 2);
    let lora = part("LoRA");
    // Rank 8 on queries and values of two layers, 16 wide.
    assert_eq!(lora.trained_bytes, 4 * 2 * 2 * 8 * (16 + 16) + head);
    assert_eq!(lora.optimizer_bytes, 2 * lora.trained_bytes);
    assert_eq!(part("Head only").trained_bytes, head);
    assert_eq!(part("Head only").kept_bytes, Some(0.0));
    assert_eq!(part("Full fine-tuning").trained_bytes, lora.frozen_bytes + head);
    assert!(memory.table().contains("| LoRA"));
}

#[test]
fn what_cannot_be_measured_is_refused_in_a_line() {
    let desk = Desk::new();
    let refuses =
        |words: &str, parts: &[&str]| desk.refuses(&format!("bench {TINY} {words}"), parts);
    refuses("--method lorra", &["unknown method 'lorra'", "did you mean 'lora'"]);
    refuses("--method majority", &["--method majority", "trains nothing"]);
    refuses("--method lora,head --config rank=2", &["--config goes with one --method"]);
    refuses("--method lora --config rank=99 --work 16", &["method 'lora'", "field 'rank' is 99"]);
    refuses("--method lora --work 500", &["--work 500", "160 positions"]);
    refuses("--method prompt_tuning --work 150", &["field 'tokens' is 20", "160 positions"]);
    refuses("--method lora --against no-python", &["--against no-python", "requirements.txt"]);
    #[cfg(unix)]
    refuses("--method lora --against false", &["--against false", "requirements.txt"]);
    refuses("--method head --launches", &["--launches", "'flex'", "--device wgpu"]);
    refuses("--method head --page none.md", &["none.md"]);
    desk.write("page.md", "nothing");
    refuses("--method head --page page.md", &["page.md", "<!-- speed -->"]);
    desk.run("bench --work some").misused(&["'rows' or a length"]);
    desk.run("bench --rounds 0").misused(&["from 1 up"]);
    desk.run("bench --suite quick").misused(&["--against"]);
    for flag in ["--precision bf16", "--model other", "--task movie", "--work rows", "--steps 3"] {
        let name = flag.split(' ').next().unwrap();
        let words = format!("bench --against python --suite quick {flag}");
        desk.run(&words).misused(&["cannot be used with", name]);
    }
    desk.run("bench --targets").misused(&["--to"]);
    refuses("--targets --to nowhere", &["nowhere"]);
}

#[test]
fn a_worker_that_ends_early_is_an_error_that_says_why() {
    let desk = Desk::new();
    let mut worker = desk.program();
    let words = "bench --worker --method lora --work 16 --train mine.csv --model nowhere";
    worker.args(words.split(' '));
    let error = Side::start("a side", worker, None).err().unwrap();
    let error = error.to_string();
    assert!(error.starts_with("a side ended") && error.contains("nowhere"), "{error}");
}

#[test]
fn the_page_on_performance_tells_what_its_numbers_say() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let page = std::fs::read_to_string(docs.join("performance.md")).unwrap();
    let holds = |name: &str, block: Option<String>| {
        let told = filled(&page, name, &block.unwrap_or_default());
        let told = told.unwrap_or_else(|| panic!("no place for {name}"));
        // Two whole pages would be hard to read.
        assert!(told == page, "{name}: the page tells something else than its numbers");
    };
    fn numbers<T: DeserializeOwned>(docs: &Path, name: &str) -> Option<T> {
        let text = std::fs::read(docs.join("performance").join(format!("{name}.json"))).ok()?;
        Some(serde_json::from_slice(&text).unwrap())
    }
    let against = targets::read(&docs.join("performance")).unwrap();
    holds("targets", Some(targets::targets(&against)));
    holds("ratios", Some(targets::ratios(&against)));
    holds("speed", numbers(&docs, "speed").map(|speed: Speed| speed.table()));
    holds("profile", std::fs::read_to_string(docs.join("performance/profile.md")).ok());
    holds("growth", numbers(&docs, "growth").map(|growth: Growth| growth.block("performance")));
    holds("memory", numbers(&docs, "memory").map(|memory: Memory| memory.table()));
    holds("launches", numbers(&docs, "launches").map(|launches: Launches| launches.table()));
    holds("suite", numbers(&docs, "suite").map(|times: SuiteTimes| times.table()));
}
