//! The laws that every method of the zoo keeps, each on every device.

mod outputs;
mod storage;
mod training;

/// Makes each law a test on flex and a test on wgpu.
macro_rules! laws {
    ($($module:ident::$law:ident),+ $(,)?) => {
        mod on_flex {
            $(#[test] fn $law() { crate::devices::on_flex(super::$module::$law) })+
        }
        mod on_wgpu {
            $(#[test] fn $law() { crate::devices::on_wgpu(super::$module::$law) })+
        }
    };
}

laws! {
    outputs::the_shape_of_the_hidden_states_never_tells_the_method,
    outputs::an_untrained_method_changes_the_output_exactly_if_its_card_says_so,
    outputs::padding_is_inert,
    outputs::a_batch_equals_its_rows_one_by_one,
    outputs::the_same_input_gives_the_same_bytes,
    outputs::one_seed_gives_the_same_start_on_every_device,
    outputs::every_device_computes_the_same,
    outputs::a_folded_method_equals_an_injected_one,
    training::every_trainable_tensor_gets_a_gradient_within_two_steps,
    training::training_moves_the_method_and_leaves_the_backbone_as_it_is,
    training::gradients_are_those_of_the_method_alone,
    storage::measured_counts_equal_the_plan,
    storage::what_is_stored_is_enough_to_use_the_method,
    storage::a_settled_method_is_stored_whole_at_every_step,
    storage::what_is_resumed_is_the_same_and_trains_on_in_the_same_way,
    storage::what_goes_on_from_a_settled_method_stays_whole,
    storage::a_state_that_lacks_a_tensor_is_refused,
}
