//! A checkpoint with a method folded into it, and the names that lead there.

use std::{collections::HashMap, fs, path::Path};

use backbones::{
    Backbone, Changes, Rewritten, Role, Site, Untouched, restored, weights::Checkpoint,
};
use burn::tensor::{Device, TensorData, f16};
use methods::Method;
use safetensors::Dtype;

use crate::{
    golden::{Stored, TinyCopy, read_tensors},
    numbers::{assert_close, numbers},
    subject::{Subject, batch},
};

/// The tiny BERT in a file whose names all start with `root`.
fn rooted(root: &str) -> TinyCopy {
    TinyCopy::with_tensors(|tensors| {
        let named = std::mem::take(tensors).into_iter();
        *tensors = named.map(|(name, tensor)| (format!("{root}{name}"), tensor)).collect();
    })
}

#[test]
fn every_site_is_called_as_its_weight_is_called_in_the_file() {
    for root in ["", "bert."] {
        let copy = rooted(root);
        let backbone = Backbone::load(copy.path(), &Device::flex()).unwrap();
        let stored = read_tensors(&copy.weights());
        for site in backbone.spec().sites() {
            let name = backbone.checkpoint_name(site).unwrap();
            let weight = numbers(backbone.weight(site).unwrap().transpose());
            assert_eq!(stored[&format!("{name}.weight")].f32s(), weight, "{name}");
        }
        let nowhere = [(0, Role::Gate), (2, Role::Query)];
        for (layer, role) in nowhere {
            assert_eq!(backbone.checkpoint_name(Site { layer, role }), None);
        }
    }
}

/// Rows that fit the tiny BERT of the fixtures.
const ROWS: [&[i32]; 2] = [&[2, 14, 33, 8, 49, 3], &[41, 3]];

/// Every foldable configuration of the zoo on the backbone of a folder.
fn foldable(folder: &Path) -> Vec<Subject> {
    let device = Device::flex();
    let on_folder = |subject: Subject| {
        let backbone = Backbone::load(folder, &device).unwrap();
        Subject { spec: backbone.spec(), backbone, ..subject }
    };
    let all = Subject::all(&device).into_iter();
    let foldable: Vec<Subject> =
        all.filter(|subject| subject.config.card().foldable).map(on_folder).collect();
    assert!(foldable.len() > 3);
    foldable
}

/// The checkpoint of a folder with a method folded into it and a head added.
fn folded(folder: &Path, subject: &Subject, method: &Method, prefix: &str) -> Rewritten {
    let backbone = subject.backbone.clone().folded(|site| method.weight_delta(site));
    let weight = TensorData::new(vec![0.5_f32; 2 * 24], [2, 24]);
    let changes = Changes {
        numbers: backbone.tensors().into_iter().collect(),
        added: vec![("classifier.weight".to_owned(), weight)],
        prefix: prefix.to_owned(),
    };
    let file = Checkpoint::open(&folder.join("model.safetensors")).unwrap();
    file.rewritten(&changes, HashMap::new()).unwrap()
}

#[test]
fn a_folded_file_computes_what_the_method_computes_beside_the_frozen_one() {
    let device = Device::flex();
    let batch = batch(&ROWS, 8, 0, &device);
    for (root, prefix) in [("", ""), ("", "bert."), ("bert.", "")] {
        let copy = rooted(root);
        for subject in foldable(copy.path()) {
            let method = subject.random();
            let folded = folded(copy.path(), &subject, &method, prefix);
            let written = TinyCopy::new();
            fs::write(written.weights(), folded.file).unwrap();
            let backbone = Backbone::load(written.path(), &device).unwrap();
            let written = Subject { backbone, ..Subject::new(subject.config.clone(), &device) };
            let injected = subject.hidden(&method, &batch);
            assert_close(&written.hidden(&Untouched, &batch), &injected, 1e-5, &subject);
        }
    }
}

#[test]
fn folding_changes_the_bytes_of_the_folded_weights_alone_and_unfolding_restores_the_file() {
    // A tensor that nothing here reads, a head that gives way, and notes of somebody else's.
    let copy = TinyCopy::with_tensors(|tensors| {
        let ids = Stored { dtype: Dtype::I64, shape: vec![1], bytes: vec![7; 8] };
        let head = Stored { dtype: Dtype::F32, shape: vec![1], bytes: vec![1; 4] };
        tensors.insert("embeddings.position_ids".to_owned(), ids);
        tensors.insert("classifier.weight".to_owned(), head);
    });
    let (before, bytes) = (read_tensors(&copy.weights()), fs::read(copy.weights()).unwrap());
    for subject in foldable(copy.path()) {
        let method = subject.random();
        let folded = folded(copy.path(), &subject, &method, "bert.");
        let touched: Vec<String> = subject
            .spec
            .sites()
            .filter(|&site| method.weight_delta(site).is_some())
            .map(|site| format!("{}.weight", subject.backbone.checkpoint_name(site).unwrap()))
            .collect();
        assert_eq!(folded.n_changed, touched.len(), "{subject}");
        let written = TinyCopy::new();
        fs::write(written.weights(), &folded.file).unwrap();
        let after = read_tensors(&written.weights());
        assert_eq!(after.len(), before.len());
        for (name, old) in before.iter().filter(|(name, _)| *name != "classifier.weight") {
            let new = &after[&format!("bert.{name}")];
            assert_eq!((new.dtype, &new.shape), (old.dtype, &old.shape), "{name}");
            assert_eq!(new.bytes != old.bytes, touched.contains(name), "{subject}: {name}");
        }
        assert_eq!(after["classifier.weight"].shape, [2, 24]);
        assert_eq!(restored(&folded.file, &folded.undo).unwrap(), bytes, "{subject}");
        // Files that do not belong together are noticed.
        assert!(restored(&folded.file, &folded.file).is_err());
        assert!(restored(&folded.file[..100], &folded.undo).is_err());
    }
}

#[test]
fn numbers_are_rounded_to_the_type_that_the_file_has() {
    let device = Device::flex();
    let batch = batch(&ROWS, 8, 0, &device);
    let half = |bytes: &[u8]| f16::from_f32(f32::from_le_bytes(bytes.try_into().unwrap()));
    let copy = TinyCopy::with_tensors(|tensors| {
        for stored in tensors.values_mut() {
            stored.dtype = Dtype::F16;
            let values = stored.bytes.chunks_exact(4).flat_map(|b| half(b).to_le_bytes());
            stored.bytes = values.collect();
        }
    });
    for subject in foldable(copy.path()) {
        let method = subject.random();
        let folded = folded(copy.path(), &subject, &method, "");
        assert_eq!(folded.rounded_to, [Dtype::F16]);
        let written = TinyCopy::new();
        fs::write(written.weights(), &folded.file).unwrap();
        let backbone = Backbone::load(written.path(), &device).unwrap();
        let written = Subject { backbone, ..Subject::new(subject.config.clone(), &device) };
        let injected = subject.hidden(&method, &batch);
        assert_close(&written.hidden(&Untouched, &batch), &injected, 2e-2, &subject);
        let bytes = fs::read(copy.weights()).unwrap();
        assert_eq!(restored(&folded.file, &folded.undo).unwrap(), bytes, "{subject}");
    }
    let name = "encoder.layer.0.output.dense.bias".to_owned();
    let large = TensorData::new(vec![1e6_f32; 24], [24]);
    let numbers = [(name.clone(), large)].into();
    let changes = Changes { numbers, ..Changes::default() };
    let error = Checkpoint::open(&copy.weights()).unwrap().rewritten(&changes, HashMap::new());
    let error = error.unwrap_err().to_string();
    assert!(error.contains(&format!("'{name}' cannot be written: 1000000")), "{error}");
}
