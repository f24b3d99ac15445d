//! `explain`: a method's equation, settings and tensors on a model.

use anyhow::Result;
use methods::Plan;
use report::format;
use serde_json::json;

use super::{arm, print_json, store};
use crate::{
    arm::{Arm, Baseline},
    choice::ModelChoice,
    cli::{Common, ModelArgs},
    device::{DeviceChoice, choose},
};

pub fn explain(name: &str, config: &[String], model: &ModelArgs, common: &Common) -> Result<()> {
    let config = match arm(name, config)? {
        Arm::Baseline(baseline) => return explain_baseline(baseline, common),
        Arm::Peft(config) => config,
    };
    // Shapes alone are asked for: no need to open a GPU.
    let chosen = choose(DeviceChoice::Flex)?;
    let choice = model.over(ModelChoice::default());
    let model = choice.load(&store(common)?, &chosen.device)?;
    let plan = config.plan(&model.spec)?;
    let card = config.card();
    let shares = |n: usize| 100.0 * n as f64 / model.info.n_parameters as f64;
    if common.json {
        return print_json(&json!({
            "name": card.name, "title": card.title, "paper": card.paper, "equation": card.equation,
            "file": card.file, "identity_at_start": card.identity_at_start,
            "foldable": card.foldable, "learning_rate": card.learning_rate, "config": config,
            "model": model.info.name, "trainable": plan.trainable(), "stored": plan.stored,
            "active": plan.active,
            "tensors": plan.tensors.iter().map(|t| json!({
                "place": t.place, "symbol": t.symbol, "shape": t.shape, "n": t.n()
            })).collect::<Vec<_>>(),
        }));
    }
    println!("{} ({})\n", card.title, card.paper);
    println!("    {}\n", card.equation);
    let yes_no = |flag| if flag { "yes" } else { "no" };
    println!("changes nothing before training: {}", yes_no(card.identity_at_start));
    println!("can be folded into the weights:  {}", yes_no(card.foldable));
    println!("learning rate by default:        {}", card.learning_rate);
    println!("source, with the mathematics:    {}\n", card.file);
    println!("settings: {}\n", serde_json::to_string(&config)?);
    println!("on {} ({:?}):", model.info.name, model.spec);
    print_tensors(&plan);
    for (what, n) in
        [("trainable", plan.trainable()), ("stored", plan.stored), ("active", plan.active)]
    {
        println!("{what:<10} {:>12}  {:.3}% of the backbone", format::count(n), shares(n));
    }
    let head = model.spec.d_model + 1;
    println!("head       {head:>12}  for each class, counted apart");
    Ok(())
}

fn print_tensors(plan: &Plan) {
    println!("{:<22} {:<6} {:<16} {:>12}", "place", "tensor", "shape", "numbers");
    for tensor in &plan.tensors {
        let shape: Vec<String> = tensor.shape.iter().map(usize::to_string).collect();
        println!(
            "{:<22} {:<6} {:<16} {:>12}",
            tensor.place,
            tensor.symbol,
            shape.join(" × "),
            format::count(tensor.n())
        );
    }
    println!();
}

fn explain_baseline(baseline: Baseline, common: &Common) -> Result<()> {
    if common.json {
        return print_json(&json!({ "name": baseline.name(), "title": baseline.title(),
            "meaning": baseline.meaning(), "learning_rate": baseline.learning_rate() }));
    }
    println!("{}: a baseline, {}.", baseline.title(), baseline.meaning());
    Ok(())
}
