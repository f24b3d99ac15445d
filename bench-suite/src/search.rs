//! The search for a learning rate: for every arm the same number of trials, each of the same share
//! of its run.
//!
//! A trial is a shorter run at one rate of a grid, judged on the validation split alone. The
//! trials of an arm are done once and shared by its seeds. See `docs/fair-benchmark.md`.

use anyhow::Result;
use report::record::{Best, Search, Trial};
use serde::{Deserialize, Serialize};

use crate::{
    arm::{Arm, Baseline},
    data::Data,
    device::Chosen,
    model::Model,
    plan::RunPlan,
    run::train,
    train::{Trained, Watcher},
};

/// How learning rates are searched.
///
/// | field | default | range | meaning |
/// | --- | --- | --- | --- |
/// | `rates` | 5 | 2 to 25 | trials of each arm; the method's default rate is in the middle |
/// | `factor` | 3 | > 1 | from one rate to the next |
/// | `share` | 0.5 | > 0 to 1 | length of a trial, as a share of the run's |
/// | `seed` | 1000 | no seed of a run | seed of every trial |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchSettings {
    /// Trials of each arm.
    pub rates: usize,
    /// From one rate to the next.
    pub factor: f64,
    /// Length of a trial, as a share of the run's.
    pub share: f64,
    /// Seed of every trial.
    pub seed: u64,
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self { rates: 5, factor: 3.0, share: 0.5, seed: 1000 }
    }
}

/// A training setting that a search can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Searched {
    /// The rate of all but the head.
    LearningRate,
    /// The rate of the head, where nothing else is trained.
    HeadLearningRate,
}

impl Searched {
    /// Name of the training setting.
    pub fn name(self) -> &'static str {
        match self {
            Self::LearningRate => "learning_rate",
            Self::HeadLearningRate => "head_learning_rate",
        }
    }
}

impl SearchSettings {
    /// Refuses settings that make no sense.
    ///
    /// # Errors
    /// A line that names the field, its value and the range.
    pub fn check(&self) -> Result<(), String> {
        let refuse = |field: &str, value: &dyn std::fmt::Display, expected: &str| {
            Err(format!("search.{field} is {value}; it must be {expected}"))
        };
        if !(2..=25).contains(&self.rates) {
            return refuse("rates", &self.rates, "2 to 25");
        }
        if !(self.factor.is_finite() && self.factor > 1.0) {
            return refuse("factor", &self.factor, "a number above 1");
        }
        if !(self.share > 0.0 && self.share <= 1.0) {
            return refuse("share", &self.share, "a number above 0, up to 1");
        }
        Ok(())
    }

    /// The rates around `centre`, from low to high, to two digits as a person would write them.
    pub fn grid(&self, centre: f64) -> Vec<f64> {
        let middle = (self.rates - 1) as f64 / 2.0;
        let rate = |i: usize| centre * self.factor.powf(i as f64 - middle);
        (0..self.rates).map(|i| two_digits(rate(i))).collect()
    }

    /// The rule in words, for records.
    pub fn rule(&self, centre: f64) -> String {
        format!(
            "{} rates a factor {} apart around {centre}, each for {} of the run's epochs; the \
             highest validation accuracy is chosen, then the lowest validation loss",
            self.rates, self.factor, self.share
        )
    }
}

/// The nearest number of two significant digits, which a text and back does not change.
fn two_digits(number: f64) -> f64 {
    format!("{number:.1e}").parse().unwrap_or(number)
}

/// The trials of a plan, before they are run.
#[derive(Clone, Debug, PartialEq)]
pub struct Trials {
    settings: SearchSettings,
    searched: Searched,
    centre: f64,
    grid: Vec<f64>,
    /// One plan for each rate, from low to high.
    pub plans: Vec<RunPlan>,
}

impl Trials {
    /// The trials that a plan asks for; none where its rate is given, or trains nothing.
    pub fn of(plan: &RunPlan) -> Option<Self> {
        let settings = plan.search.clone()?;
        let (searched, centre) = match &plan.arm {
            Arm::Baseline(Baseline::Majority) => return None,
            Arm::Baseline(Baseline::HeadOnly) => {
                (Searched::HeadLearningRate, plan.training.head_learning_rate)
            }
            _ if plan.training.learning_rate.is_some() => return None,
            arm => (Searched::LearningRate, arm.learning_rate()?),
        };
        let grid = settings.grid(centre);
        let trial = |&rate: &f64| {
            let mut trial = plan.at_rate(searched, rate);
            trial.training.epochs *= settings.share;
            trial.seed = settings.seed;
            trial.transfer.clear();
            trial
        };
        let plans = grid.iter().map(trial).collect();
        Some(Self { settings, searched, centre, grid, plans })
    }

    /// The rates, from low to high.
    pub fn rates(&self) -> &[f64] {
        &self.grid
    }

    /// The choice from the finished trials, which come in the order of the plans.
    pub fn conclude(&self, trials: Vec<Trial>) -> Search {
        let chosen = choose(&trials);
        Search {
            rule: self.settings.rule(self.centre),
            setting: self.searched.name().to_owned(),
            seed: self.settings.seed,
            grid: self.grid.clone(),
            chosen: self.grid[chosen],
            edge: chosen == 0 || chosen + 1 == trials.len(),
            trials,
        }
    }

    /// The plan of a final run at the chosen rate.
    pub fn final_plan(&self, plan: &RunPlan, search: &Search) -> RunPlan {
        plan.at_rate(self.searched, search.chosen)
    }
}

/// The best trial by validation accuracy, then loss; the lowest rate if all diverged at once.
fn choose(trials: &[Trial]) -> usize {
    let key = |best: &Best| (best.accuracy, -best.loss);
    let mut chosen = 0;
    for (i, trial) in trials.iter().enumerate() {
        let (best, so_far) = (trial.best.as_ref(), trials[chosen].best.as_ref());
        if best.map(key) > so_far.map(key) {
            chosen = i;
        }
    }
    chosen
}

/// Runs one trial. The test split is not read.
///
/// # Errors
/// What is wrong with the settings. A divergence is no error: the trial says so.
pub fn attempt(
    plan: &RunPlan,
    learning_rate: f64,
    model: &Model,
    data: &Data,
    chosen: &Chosen,
    watcher: &mut dyn Watcher,
) -> Result<Trial> {
    let Trained { best, status, curve, steps, train_seconds, evaluation_seconds, .. } =
        train(plan, model, data, &chosen.device, watcher)?.trained;
    let best = best.map(|best| Best {
        step: best.step,
        accuracy: best.validation.accuracy,
        loss: best.validation.loss,
    });
    let seconds = train_seconds + evaluation_seconds;
    Ok(Trial { id: plan.id(model, data), learning_rate, status, steps, best, curve, seconds })
}

#[cfg(test)]
mod tests {
    use report::record::Status;

    use super::*;
    use crate::{choice::TaskChoice, suite::default_task, training::Training};

    fn trial(learning_rate: f64, best: Option<(f64, f64)>) -> Trial {
        Trial {
            id: String::new(),
            learning_rate,
            status: Status::Finished,
            steps: 1,
            best: best.map(|(accuracy, loss)| Best { step: 1, accuracy, loss }),
            curve: vec![],
            seconds: 0.0,
        }
    }

    fn plan(arm: &str) -> RunPlan {
        RunPlan {
            task: default_task(),
            model: Default::default(),
            arm: Arm::named(arm).unwrap(),
            from: None,
            training: Training { epochs: 3.0, ..Default::default() },
            seed: 7,
            search: Some(SearchSettings::default()),
            transfer: vec![TaskChoice::Named("amazon".to_owned())],
        }
    }

    #[test]
    fn the_grid_has_the_default_in_its_middle_and_short_numbers() {
        let settings = SearchSettings::default();
        assert_eq!(settings.grid(0.004), [0.00044, 0.0013, 0.004, 0.012, 0.036]);
        let even = SearchSettings { rates: 2, factor: 4.0, ..settings };
        assert_eq!(even.grid(0.01), [0.005, 0.02]);
    }

    #[test]
    fn trials_differ_from_the_run_in_rate_length_and_seed_alone() {
        let trials = Trials::of(&plan("lora")).unwrap();
        assert_eq!(trials.plans.len(), 5);
        for (trial, &rate) in trials.plans.iter().zip(trials.rates()) {
            let mut expected = plan("lora");
            expected.training.learning_rate = Some(rate);
            expected.training.epochs = 1.5;
            expected.seed = 1000;
            (expected.search, expected.transfer) = (None, vec![]);
            assert_eq!(*trial, expected);
        }
        // Another seed of the same arm has the same trials.
        assert_eq!(Trials::of(&RunPlan { seed: 8, ..plan("lora") }).unwrap().plans, trials.plans);
    }

    #[test]
    fn the_head_alone_is_searched_by_its_own_rate_and_a_given_rate_not_at_all() {
        let head = Trials::of(&plan("head")).unwrap();
        assert_eq!(head.plans[4].training.head_learning_rate, 0.09);
        assert_eq!(head.plans[4].training.learning_rate, None);
        assert_eq!(Trials::of(&plan("majority")), None);
        let mut given = plan("lora");
        given.training.learning_rate = Some(0.1);
        assert_eq!(Trials::of(&given), None);
    }

    #[test]
    fn accuracy_decides_then_loss_and_the_edge_is_told() {
        let trials = Trials::of(&plan("lora")).unwrap();
        let conclude = |figures: [Option<(f64, f64)>; 5]| {
            let tried = figures.into_iter().zip(trials.rates());
            trials.conclude(tried.map(|(best, &rate)| trial(rate, best)).collect())
        };
        let (low, high, better) = (Some((0.7, 0.3)), Some((0.8, 0.6)), Some((0.8, 0.5)));
        let search = conclude([low, high, better, low, None]);
        assert_eq!((search.chosen, search.edge), (0.004, false));
        assert_eq!(search.chosen_trial().unwrap().best.unwrap().loss, 0.5);
        let search = conclude([None, None, None, None, low]);
        assert_eq!((search.chosen, search.edge), (0.036, true));
        // Where nothing worked, the most careful rate is taken.
        let search = conclude([None; 5]);
        assert_eq!((search.chosen, search.edge), (0.00044, true));
        let run = trials.final_plan(&plan("lora"), &search);
        assert_eq!((run.training.learning_rate, run.seed), (Some(0.00044), 7));
        assert_eq!(run.training.epochs, 3.0);
    }

    #[test]
    fn bad_settings_are_named() {
        let bad = |settings: SearchSettings| settings.check().unwrap_err();
        let base = SearchSettings::default;
        assert!(bad(SearchSettings { rates: 1, ..base() }).contains("search.rates is 1"));
        assert!(bad(SearchSettings { factor: 1.0, ..base() }).contains("search.factor is 1"));
        assert!(bad(SearchSettings { share: f64::NAN, ..base() }).contains("search.share is NaN"));
    }
}
