//! What the adviser chooses among.

use methods::{CARDS, MethodConfig};
use serde_json::json;

use crate::{
    arm::{Arm, Baseline},
    data::Data,
    model::Model,
    plan::RunPlan,
    run::check,
    search::{SearchSettings, Trials},
};

/// One thing to try: a plan with its rate, and which arm it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The run, but for the length of its training.
    pub plan: RunPlan,
    /// The rate that sets it apart from others of its arm.
    pub learning_rate: f64,
    /// Index of its arm.
    pub arm: usize,
}

impl Candidate {
    /// Name for people, e.g. `LoRA rank=8`.
    pub fn label(&self) -> String {
        let arm = &self.plan.arm;
        let budget = arm.budget().map(|b| format!("{}={}", b.name, b.value)).unwrap_or_default();
        let words = [arm.title().to_owned(), arm.variant(), budget];
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// The arms: every method in its default size, the head alone, the sizes around the defaults,
/// and full fine-tuning. What matters most comes first, should time run out. `names` leaves out
/// all others; what does not fit the model is left out too.
pub fn arms(names: &[String], base: &RunPlan, model: &Model, data: &Data) -> Vec<Arm> {
    let sized = |name: &'static str, scale: f64| {
        let budget = MethodConfig::named(name)?.budget();
        let value = (budget.value as f64 * scale).round().max(1.0) as usize;
        Some(Arm::Peft(MethodConfig::read(name, json!({ budget.name: value }))?.ok()?))
    };
    let all_sized = |scale| CARDS.iter().filter_map(move |card| sized(card.name, scale));
    let baseline = |baseline| std::iter::once(Arm::Baseline(baseline));
    all_sized(1.0)
        .chain(baseline(Baseline::HeadOnly))
        .chain(all_sized(0.25))
        .chain(all_sized(4.0))
        .chain(baseline(Baseline::Full))
        .filter(|arm| names.is_empty() || names.iter().any(|name| name == arm.name()))
        .filter(|arm| check(&RunPlan { arm: arm.clone(), ..base.clone() }, model, data).is_ok())
        .collect()
}

/// The candidates of some arms, at `rates` learning rates each.
pub fn candidates(arms: &[Arm], base: &RunPlan, rates: usize) -> Vec<Candidate> {
    let of = |(i, arm): (usize, &Arm)| {
        let search = SearchSettings { rates: rates.max(2), share: 1.0, ..Default::default() };
        let plan = RunPlan { arm: arm.clone(), search: Some(search), ..base.clone() };
        let trials = Trials::of(&plan)?;
        let plans = trials.plans.iter().cloned().zip(trials.rates().iter().copied());
        let all = plans.map(|(plan, learning_rate)| Candidate { plan, learning_rate, arm: i });
        Some(all.collect::<Vec<_>>())
    };
    arms.iter().enumerate().filter_map(of).flatten().collect()
}

/// Of each arm the candidate in the middle of its rates: the method's own default.
pub fn defaults(candidates: &[Candidate]) -> Vec<Candidate> {
    let of_one_arm = candidates.chunk_by(|a, b| a.arm == b.arm);
    of_one_arm.map(|candidates| candidates[candidates.len() / 2].clone()).collect()
}
