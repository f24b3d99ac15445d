//! `bench`: measures speed and memory.

mod speed;

use anyhow::{Result, bail};
use report::{make_folder, write_atomic};
use serde::Serialize;

use super::{arm, print_json, store};
use crate::{
    arm::{Arm, Baseline},
    choice::ModelChoice,
    cli::{BenchArgs, Common},
    data::Data,
    device::{Chosen, choose},
    loader::Loader,
    run::environment,
    suite::{Suite, default_task},
    timing::{
        growth::{Growth, charts, grow},
        job::{Job, Work},
        launches::{Launches, count},
        memory::{Memory, take_apart},
        page, suites,
        worker::Worker,
    },
};

/// Tokens a row where a length is needed and none is given.
const LENGTH: usize = 64;

pub fn bench(args: BenchArgs, common: &Common) -> Result<()> {
    let store = store(common)?;
    let chosen = choose(common.device)?;
    let bench = Bench { jobs: jobs(&args)?, args: &args, common, chosen: &chosen };
    let mut loader = Loader::new(&store, &chosen);
    if args.worker {
        return bench.work(&mut loader);
    }
    if let Some(page) = &args.page {
        bench.places().iter().try_for_each(|name| page::check(page, name))?;
    }
    eprintln!("device {} ({}): {}", chosen.name, chosen.hardware, chosen.reason);
    match &args {
        BenchArgs { suite: Some(suite), .. } => bench.suite(suite, &mut loader),
        BenchArgs { targets: true, .. } => bench.targets(),
        BenchArgs { growth: true, .. } => bench.growth(&mut loader),
        BenchArgs { memory: true, .. } => bench.memory(&mut loader),
        BenchArgs { launches: true, .. } => bench.launches(&mut loader),
        _ => bench.speed(&mut loader),
    }
}

/// What the flags ask for.
struct Bench<'a> {
    jobs: Vec<Job>,
    args: &'a BenchArgs,
    common: &'a Common,
    chosen: &'a Chosen,
}

fn jobs(args: &BenchArgs) -> Result<Vec<Job>> {
    let arms = arms(args)?;
    let task = args.task.clone().choice().unwrap_or_else(default_task);
    let job = |arm: &Arm, &work: &Work| Job {
        task: task.clone(),
        model: args.model.over(ModelChoice::default()),
        arm: arm.clone(),
        work,
        batch: args.batch,
        steps: args.steps,
    };
    Ok(arms.iter().flat_map(|arm| args.work.iter().map(|work| job(arm, work))).collect())
}

fn arms(args: &BenchArgs) -> Result<Vec<Arm>> {
    const MAJORITY: Arm = Arm::Baseline(Baseline::Majority);
    match args.method.as_slice() {
        [] => {
            let all = Arm::names().into_iter().map(|name| arm(name, &[]));
            Ok(all.collect::<Result<Vec<_>>>()?.into_iter().filter(|a| *a != MAJORITY).collect())
        }
        [name] if name == MAJORITY.name() => {
            bail!("--method {name}: it trains nothing, so there is no step to measure")
        }
        [name] => Ok(vec![arm(name, &args.config)?]),
        names if args.config.is_empty() => names.iter().map(|name| arm(name, &[])).collect(),
        names => bail!("--config goes with one --method, not with {}", names.join(", ")),
    }
}

impl Bench<'_> {
    /// The places that a page must have for the tables.
    fn places(&self) -> &'static [&'static str] {
        match self.args {
            BenchArgs { suite: Some(_), .. } => &["suite"],
            BenchArgs { growth: true, .. } => &["growth"],
            BenchArgs { memory: true, .. } => &["memory"],
            BenchArgs { launches: true, .. } => &["launches"],
            BenchArgs { targets: true, .. } | BenchArgs { against: Some(_), .. } => {
                &["targets", "ratios"]
            }
            _ => &["speed"],
        }
    }

    fn work(&self, loader: &mut Loader) -> Result<()> {
        match self.jobs.as_slice() {
            [job] => Worker::load(job, loader, self.chosen)?.serve(),
            _ => bail!("--worker takes one --method and one --work"),
        }
    }

    /// Loads what a job needs, so that its mistakes are told before a process is started, and
    /// that a worker finds everything in the cache.
    fn checked(&self, job: &Job, loader: &mut Loader) -> Result<Data> {
        let plan = job.plan();
        let data = loader.data(&plan.task, &plan.model, &plan.training)?;
        let model = loader.model(&plan.model)?;
        let named = |error: anyhow::Error| error.context(format!("method '{}'", job.arm.name()));
        job.check(&model, &data).map_err(named)?;
        Ok(job.data(&data))
    }

    /// The length asked for that is nearest to [`LENGTH`], where one is needed.
    fn length(&self) -> usize {
        let lengths = self.args.work.iter().filter_map(|work| match work {
            Work::Length(length) => Some(*length),
            Work::Rows => None,
        });
        lengths.min_by_key(|length| length.abs_diff(LENGTH)).unwrap_or(LENGTH)
    }

    fn memory(&self, loader: &mut Loader) -> Result<()> {
        let length = self.length();
        let mut memory = Memory {
            environment: environment(self.chosen),
            model: String::new(),
            batch: self.args.batch,
            length,
            parts: vec![],
        };
        for arm in arms(self.args)? {
            let Some(first) = self.jobs.first() else { break };
            let job = Job { arm, work: Work::Length(length), ..first.clone() };
            let worker = Worker::load(&job, loader, self.chosen)?;
            eprintln!("{} …", job.arm.title());
            memory.parts.push(take_apart(&job, &worker, self.common)?);
            memory.model.clone_from(&worker.model().info.name);
        }
        self.keep("memory", &memory, &memory.table())
    }

    fn growth(&self, loader: &mut Loader) -> Result<()> {
        let length = self.length();
        let Some(first) = self.jobs.first() else { return Ok(()) };
        let base = Job { work: Work::Length(length), ..first.clone() };
        self.checked(&base, loader)?;
        let folder = loader.folder(&base.model)?;
        let show = |line: &str| eprintln!("{line}");
        let sweeps = grow(&base, self.args.rounds, loader, self.common, &folder, &show)?;
        let growth = Growth {
            environment: environment(self.chosen),
            model: loader.model(&base.model)?.info.name.clone(),
            batch: base.batch,
            length,
            sweeps,
        };
        if let Some(folder) = &self.args.to {
            make_folder(folder)?;
            for (name, svg) in charts(&growth)? {
                write_atomic(&folder.join(format!("{name}.svg")), svg.as_bytes())?;
            }
        }
        let Some((folder, page)) = self.args.to.as_ref().zip(self.args.page.as_ref()) else {
            return self.keep("growth", &growth, &growth.table());
        };
        // As a reader of the page finds the charts.
        let beside = page.parent().and_then(|page| folder.strip_prefix(page).ok());
        let folder = beside.unwrap_or(folder).display().to_string();
        self.keep("growth", &growth, &growth.block(&folder))
    }

    fn launches(&self, loader: &mut Loader) -> Result<()> {
        let mut launches = Launches {
            environment: environment(self.chosen),
            model: String::new(),
            counted: vec![],
        };
        for arm in arms(self.args)? {
            // The number of launches does not depend on the shapes.
            let Some(first) = self.jobs.first() else { break };
            let job = Job { arm, work: Work::Length(8), batch: 2, steps: 3, ..first.clone() };
            launches.counted.push(count(&job, loader, self.chosen)?);
            launches.model = loader.model(&job.plan().model)?.info.name.clone();
        }
        self.keep("launches", &launches, &launches.table())
    }

    fn suite(&self, name: &str, loader: &mut Loader) -> Result<()> {
        let Some(python) = &self.args.against else {
            bail!("--suite goes with --against PYTHON");
        };
        let suite = Suite::find(name)?;
        let environment = environment(self.chosen);
        let rounds = self.args.rounds;
        let times =
            suites::compare(&suite, name, python, rounds, loader, self.common, environment)?;
        self.keep("suite", &times, &times.table())
    }

    /// Prints numbers, and writes them where the flags say.
    fn keep(&self, name: &str, numbers: &impl Serialize, table: &str) -> Result<()> {
        self.store(name, numbers)?;
        if self.common.json {
            print_json(numbers)?;
        }
        self.fill(name, table)
    }

    /// Writes numbers where the flags say.
    fn store(&self, name: &str, numbers: &impl Serialize) -> Result<()> {
        let Some(folder) = &self.args.to else { return Ok(()) };
        make_folder(folder)?;
        let mut json = serde_json::to_vec_pretty(numbers)?;
        json.push(b'\n');
        Ok(write_atomic(&folder.join(format!("{name}.json")), &json)?)
    }

    /// Prints a table for people, and puts it into its place on the page.
    fn fill(&self, name: &str, table: &str) -> Result<()> {
        if !self.common.json {
            println!("{table}");
        }
        match &self.args.page {
            Some(path) => page::fill(path, name, table),
            None => Ok(()),
        }
    }
}
