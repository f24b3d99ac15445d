//! What a method does to the hidden states.

use backbones::{Site, Untouched};
use burn::{module::Module, tensor::Device};

use crate::{
    numbers::{assert_close, distance, parameters},
    subject::{ROWS, Subject, at_true_tokens, batch},
};

pub fn the_shape_of_the_hidden_states_never_tells_the_method(device: &Device) {
    for subject in Subject::all(device) {
        let hidden = subject.backbone.encode(&batch(&ROWS, 8, 0, device), &subject.random());
        assert_eq!(hidden.dims(), [3, 8, subject.spec.d_model], "{subject}");
    }
}

pub fn an_untrained_method_changes_the_output_exactly_if_its_card_says_so(device: &Device) {
    let batch = batch(&ROWS, 8, 0, device);
    for subject in Subject::all(device) {
        let untouched = subject.hidden(&Untouched, &batch);
        let changed = distance(&untouched, &subject.hidden(&subject.fresh(), &batch));
        match subject.config.card().identity_at_start {
            true => assert!(changed <= 1e-6, "{subject}: no identity, {changed:e} apart"),
            false => assert!(changed > 1e-3, "{subject}: changes nothing, {changed:e} apart"),
        }
        let changed = distance(&untouched, &subject.hidden(&subject.random(), &batch));
        assert!(changed > 1e-3, "{subject}: changes nothing even with random numbers");
    }
}

pub fn padding_is_inert(device: &Device) {
    for subject in Subject::all(device) {
        let method = subject.random();
        let hidden = |width, filler| {
            let hidden = subject.hidden(&method, &batch(&ROWS, width, filler, device));
            at_true_tokens(&hidden, &ROWS, width)
        };
        let narrow = hidden(6, 0);
        assert_close(&narrow, &hidden(13, 0), 1e-5, format!("{subject}: more padding"));
        assert_close(&narrow, &hidden(6, 51), 1e-5, format!("{subject}: padding of real words"));
    }
}

pub fn a_batch_equals_its_rows_one_by_one(device: &Device) {
    for subject in Subject::all(device) {
        let method = subject.random();
        let together = subject.hidden(&method, &batch(&ROWS, 8, 0, device));
        let together = at_true_tokens(&together, &ROWS, 8);
        let alone = |row| subject.hidden(&method, &batch(&[row], row.len(), 0, device));
        let one_by_one = ROWS.into_iter().flat_map(alone).collect::<Vec<_>>();
        assert_close(&together, &one_by_one, 1e-5, subject);
    }
}

pub fn the_same_input_gives_the_same_bytes(device: &Device) {
    let batch = batch(&ROWS, 8, 0, device);
    for subject in Subject::all(device) {
        let method = subject.random();
        let hidden = || subject.hidden(&method, &batch).into_iter().map(f32::to_bits);
        assert!(hidden().eq(hidden()), "{subject}");
    }
}

pub fn one_seed_gives_the_same_start_on_every_device(device: &Device) {
    for (here, there) in Subject::all(device).into_iter().zip(Subject::all(&Device::flex())) {
        let start = |subject: &Subject| parameters(&subject.fresh()).into_iter().map(|p| p.bits);
        assert!(start(&here).eq(start(&there)), "{here}");
    }
}

pub fn every_device_computes_the_same(device: &Device) {
    for (here, there) in Subject::all(device).into_iter().zip(Subject::all(&Device::flex())) {
        let hidden = |subject: &Subject| {
            subject.hidden(&subject.random(), &batch(&ROWS, 8, 0, &subject.device))
        };
        assert_close(&hidden(&here), &hidden(&there), 2e-5, &here);
    }
}

pub fn a_folded_method_equals_an_injected_one(device: &Device) {
    let batch = batch(&ROWS, 8, 0, device);
    for subject in Subject::all(device) {
        let method = subject.random();
        let delta = |site: Site| method.weight_delta(site);
        if !subject.config.card().foldable {
            let none = subject.spec.sites().all(|site| delta(site).is_none());
            assert!(none, "{subject}: has a weight delta, but its card says it cannot be folded");
            continue;
        }
        for site in subject.spec.sites() {
            let shape = delta(site).map(|delta| delta.dims());
            let weight = subject.backbone.weight(site).map(|weight| weight.dims());
            assert!(shape.is_none() || shape == weight, "{subject}: {shape:?} at {site}");
        }
        let untouched = parameters(&subject.backbone);
        let folded = subject.backbone.clone().folded(delta).no_grad();
        let injected = subject.hidden(&method, &batch);
        let folded = Subject { backbone: folded, ..Subject::new(subject.config.clone(), device) };
        assert_close(&folded.hidden(&Untouched, &batch), &injected, 1e-5, &subject);
        assert!(parameters(&subject.backbone) == untouched, "{subject}: the original changed");
    }
}
