//! The real model, trained for a few steps: on wgpu as on flex, and twice the same.

use assets::{Store, StoreOptions};
use backbones::Pooling;
use bench_suite::{
    arm::Arm,
    data::Data,
    model::Model,
    train::{Trained, Trainer, Unwatched},
    trainable::Trainable,
    training::Training,
};
use burn::tensor::Device;
use datasets::{Example, Split, Task};
use rand::{SeedableRng, rngs::StdRng};

use crate::devices::on_wgpu;

/// Sentences with the class of each: 0 against, 1 for.
const ROWS: [(&str, usize); 12] = [
    ("a delight from start to finish", 1),
    ("dull and far too long", 0),
    ("I would see it again tomorrow", 1),
    (
        "nobody in it seems to care, and soon nobody watching it does either",
        0,
    ),
    ("warm, funny and wise", 1),
    ("the plot has more holes than plot", 0),
    ("beautifully shot", 1),
    ("a waste of a good cast", 0),
    ("it stays with you", 1),
    ("I fell asleep twice", 0),
    ("the best surprise of the year", 1),
    ("tiresome", 0),
];

fn task() -> Task {
    let row = |&(text, label): &(&str, usize)| Example {
        text: text.to_owned(),
        pair: None,
        label,
    };
    let rows: Vec<Example> = ROWS.iter().map(row).collect();
    let split = Split {
        train: rows[..8].to_vec(),
        validation: rows[8..].to_vec(),
        test: rows[8..].to_vec(),
    };
    let classes = ["against", "for"].map(str::to_owned).to_vec();
    Task {
        name: "films".into(),
        title: "Films".into(),
        classes,
        split,
        notes: vec![],
    }
}

/// Two steps of LoRA, four rows each, with an evaluation after each.
fn train(device: &Device) -> Trained {
    let store = Store::open(StoreOptions {
        progress: false,
        ..Default::default()
    })
    .unwrap();
    let model = Model::load(&store, "minilm-l6", Pooling::Mean, 32, device).unwrap();
    let training = Training {
        batch_size: 4,
        evaluations: 2,
        ..Default::default()
    };
    let data = Data::new(task(), &training, &model.encoder).unwrap();
    let arm = Arm::named("lora").unwrap();
    let rng = &mut StdRng::seed_from_u64(0);
    let trainable = Trainable::init(&arm, &model, 2, rng, &device.clone().autodiff()).unwrap();
    let trainer = Trainer {
        model: &model,
        data: &data,
        training: &training,
        peak_rate: 1e-2,
        seed: 0,
        device,
    };
    trainer.train(trainable, &mut Unwatched)
}

fn losses(trained: &Trained) -> Vec<f64> {
    let point = |point: &report::record::CurvePoint| {
        [point.train_loss.unwrap_or(f64::NAN), point.validation_loss]
    };
    trained.curve.iter().flat_map(point).collect()
}

#[test]
fn the_same_seed_gives_the_same_losses_to_the_last_bit() {
    let device = Device::flex();
    let (first, second) = (losses(&train(&device)), losses(&train(&device)));
    assert_eq!(first.len(), 4);
    assert_eq!(first, second);
    assert!(
        first[3] < first[1],
        "training did not lower the validation loss: {first:?}"
    );
}

#[test]
fn a_short_training_of_the_real_model_on_wgpu_gives_the_losses_of_flex() {
    on_wgpu(|wgpu| {
        let (on_flex, on_wgpu) = (losses(&train(&Device::flex())), losses(&train(wgpu)));
        for (flex, wgpu) in on_flex.iter().zip(&on_wgpu) {
            assert!((flex - wgpu).abs() < 1e-3, "{on_flex:?} and {on_wgpu:?}");
        }
    });
}
