//! The real model, trained for a few steps: on wgpu as on flex, and twice the same.

use assets::{Store, StoreOptions};
use backbones::{Backbone, Pooling, Role, Site};
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
    ("nobody in it seems to care, and soon nobody watching it does either", 0),
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
    let row = |&(text, label): &(&str, usize)| Example { text: text.to_owned(), pair: None, label };
    let rows: Vec<Example> = ROWS.iter().map(row).collect();
    let split = Split {
        train: rows[..8].to_vec(),
        validation: rows[8..].to_vec(),
        test: rows[8..].to_vec(),
    };
    let classes = ["against", "for"].map(str::to_owned).to_vec();
    Task { name: "films".into(), title: "Films".into(), classes, split, notes: vec![] }
}

/// Two steps of an arm, four rows each, with an evaluation after each; and the model.
fn train(arm: &str, device: &Device) -> (Trained, Model) {
    let store = Store::open(StoreOptions { progress: false, ..Default::default() }).unwrap();
    let model = Model::load(&store, "minilm-l6", Pooling::Mean, 32, device).unwrap();
    let training = Training { batch_size: 4, evaluations: 2, ..Default::default() };
    let data = Data::new(task(), &training, &model.encoder).unwrap();
    let arm = Arm::named(arm).unwrap();
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
    let trained = trainer.train(trainable, &mut Unwatched);
    (trained, model)
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
    let (first, second) = (losses(&train("lora", &device).0), losses(&train("lora", &device).0));
    assert_eq!(first.len(), 4);
    assert_eq!(first, second);
}

#[test]
fn a_short_training_of_the_real_model_on_wgpu_gives_the_losses_of_flex() {
    on_wgpu(|wgpu| {
        let (on_flex, on_wgpu) =
            (losses(&train("lora", &Device::flex()).0), losses(&train("lora", wgpu).0));
        for (flex, wgpu) in on_flex.iter().zip(&on_wgpu) {
            assert!((flex - wgpu).abs() < 1e-3, "{on_flex:?} and {on_wgpu:?}");
        }
    });
}

#[test]
fn full_fine_tuning_moves_a_copy_and_leaves_the_frozen_model_as_it_was() {
    let weight = |backbone: &Backbone, layer| {
        backbone.weight(Site { layer, role: Role::Up }).unwrap().without_autodiff().into_data()
    };
    let (trained, model) = train("full", &Device::flex());
    let (_, untouched) = train("majority", &Device::flex());
    let moved = trained.best.unwrap().trainable.unfrozen.unwrap();
    for layer in 0..model.spec.n_layers {
        assert_eq!(weight(&model.backbone, layer), weight(&untouched.backbone, layer));
        assert_ne!(weight(&model.backbone, layer), weight(&moved, layer), "layer {layer}");
    }
}
