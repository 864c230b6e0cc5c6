//! What log groups are made with, and what becomes of what the service will not give them.

use super::*;
use crate::cloudwatch::GroupOptions;

fn groups(options: GroupOptions) -> World {
    let mut world = World::with(Options { new_groups: options, ..super::options() });
    let source = world.open(1, "web");
    world.log(source, b"one\n");
    world.pass(5_000);
    world
}

fn days(days: u32) -> GroupOptions {
    GroupOptions { retention_days: Some(days), ..GroupOptions::default() }
}

/// Answers the request under way for this; its body.
fn answer(world: &mut World, operation: Operation, answer: Answer) -> serde_json::Value {
    let at = world.sent.iter().position(|request| request.operation == operation);
    let request = at.and_then(|at| world.sent.remove(at)).expect("a request");
    let body = serde_json::from_slice(request.body.bytes()).unwrap();
    world.shipper.handle_answer(request.id, &answer, world.now);
    world.drain();
    body
}

/// Up to where the log group was asked for.
fn ask_for_group(world: &mut World) {
    answer(world, Operation::PutLogEvents, code("ResourceNotFoundException"));
    answer(world, Operation::CreateLogStream, code("ResourceNotFoundException"));
}

fn warnings(world: &World) -> Vec<&str> {
    let warnings = world.said.iter().filter(|(severity, _)| *severity >= Severity::Warning);
    warnings.map(|(_, text)| text.as_str()).collect()
}

#[test]
fn a_log_group_that_was_made_is_told_how_long_to_keep_events() {
    let mut world = groups(days(30));
    ask_for_group(&mut world);
    answer(&mut world, Operation::CreateLogGroup, status(200, ""));
    let told = answer(&mut world, Operation::PutRetentionPolicy, status(200, ""));
    assert_eq!(told, serde_json::json!({"logGroupName": "g", "retentionInDays": 30}));
    answer(&mut world, Operation::CreateLogStream, status(200, ""));
    assert_eq!(world.accept(), ["one"]);
    assert!(warnings(&world).is_empty() && world.sent.is_empty());
}

#[test]
fn a_log_group_of_somebody_elses_is_left_as_it_is() {
    let mut world = groups(days(30));
    ask_for_group(&mut world);
    answer(&mut world, Operation::CreateLogGroup, code("ResourceAlreadyExistsException"));
    answer(&mut world, Operation::CreateLogStream, status(200, ""));
    assert_eq!(world.accept(), ["one"]);
    assert!(world.sent.is_empty());
    // Unless the answer to our own request was lost.
    let mut world = groups(days(30));
    ask_for_group(&mut world);
    answer(&mut world, Operation::CreateLogGroup, Answer::Unanswered("cut".into()));
    world.wake();
    answer(&mut world, Operation::CreateLogGroup, code("ResourceAlreadyExistsException"));
    answer(&mut world, Operation::PutRetentionPolicy, status(200, ""));
}

#[test]
fn a_log_group_that_exists_is_told_so_by_choice_once() {
    let mut world = groups(GroupOptions { retain_existing: true, ..days(7) });
    assert_eq!(world.accept(), ["one"]);
    answer(&mut world, Operation::PutRetentionPolicy, status(200, ""));
    let source = world.open(2, "other");
    world.log(source, b"two\n");
    world.pass(5_000);
    assert_eq!(world.accept(), ["two"]);
    assert!(world.sent.is_empty());
}

#[test]
fn events_do_not_wait_for_what_a_log_group_is_refused() {
    let mut world = groups(days(30));
    ask_for_group(&mut world);
    answer(&mut world, Operation::CreateLogGroup, status(200, ""));
    answer(&mut world, Operation::PutRetentionPolicy, code("AccessDeniedException"));
    answer(&mut world, Operation::CreateLogStream, status(200, ""));
    assert_eq!(world.accept(), ["one"]);
    let said = warnings(&world);
    assert!(said.len() == 1 && said[0].contains("log group g: cannot be told to keep events for 30 days"));
    assert_eq!(world.shipper.counts().group_settings_refused, 1);
    world.pass(3_600_000);
    assert!(world.sent.is_empty());
}

#[test]
fn what_passes_is_tried_again_a_few_times() {
    let mut world = groups(days(30));
    ask_for_group(&mut world);
    answer(&mut world, Operation::CreateLogGroup, status(200, ""));
    answer(&mut world, Operation::PutRetentionPolicy, code("ThrottlingException"));
    answer(&mut world, Operation::CreateLogStream, status(200, ""));
    assert_eq!(world.accept(), ["one"]);
    // It does not end before that is through.
    world.pause(SourceId(1), Pause::Ended);
    world.shipper.handle_phase(Phase::Finishing, world.now);
    world.drain();
    assert_eq!(world.done, None);
    for _ in 0..4 {
        world.wake();
        answer(&mut world, Operation::PutRetentionPolicy, status(500, ""));
    }
    world.wake();
    answer(&mut world, Operation::PutRetentionPolicy, code("ResourceNotFoundException"));
    assert_eq!((warnings(&world).len(), &world.done), (1, &Some(Ok(()))));
}

#[test]
fn a_log_group_is_made_with_all_that_was_chosen_and_without_tags_where_those_are_refused() {
    let options = GroupOptions {
        tags: vec!["team=web".into()],
        kms_key: Some("arn:aws:kms:eu-central-1:1:key/2".into()),
        class: Some("INFREQUENT_ACCESS".into()),
        ..days(30)
    };
    for refusal in ["AccessDeniedException", "InvalidParameterException"] {
        let mut world = groups(options.clone());
        ask_for_group(&mut world);
        let asked = answer(&mut world, Operation::CreateLogGroup, code(refusal));
        assert_eq!(
            (&asked["tags"]["team"], &asked["kmsKeyId"], &asked["logGroupClass"]),
            (&"web".into(), &"arn:aws:kms:eu-central-1:1:key/2".into(), &"INFREQUENT_ACCESS".into())
        );
        let asked = answer(&mut world, Operation::CreateLogGroup, status(200, ""));
        // What is to be encrypted is never in the clear.
        assert!(asked.get("tags").is_none() && asked.get("kmsKeyId").is_some());
        answer(&mut world, Operation::PutRetentionPolicy, status(200, ""));
        answer(&mut world, Operation::CreateLogStream, status(200, ""));
        assert_eq!(world.accept(), ["one"], "{refusal}");
        let said = warnings(&world);
        assert!(said.len() == 1 && said[0].starts_with("log group g: refused with its tags"), "{said:?}");
        assert_eq!(world.shipper.counts().group_settings_refused, 1);
    }
}

#[test]
fn a_key_that_is_refused_is_not_left_out() {
    let options = GroupOptions { kms_key: Some("arn:aws:kms:eu-central-1:1:key/2".into()), ..days(30) };
    let mut world = groups(options);
    ask_for_group(&mut world);
    answer(&mut world, Operation::CreateLogGroup, code("InvalidParameterException"));
    world.wake();
    let asked = answer(&mut world, Operation::CreateLogGroup, status(200, ""));
    assert!(asked.get("kmsKeyId").is_some());
}

#[test]
fn what_events_are_is_said_with_each_batch_and_nowhere_else() {
    let format = Some("json/emf".to_owned());
    let mut world = World::with(Options { format, ..options() });
    let source = world.open(1, "web");
    world.log(source, b"{\"_aws\":{}}\n");
    world.pass(5_000);
    let header = |request: &Request| {
        request.headers.iter().find(|(name, _)| *name == "x-amzn-logs-format").map(|(_, value)| value.clone())
    };
    assert_eq!(header(&world.sent[0]).as_deref(), Some("json/emf"));
    answer(&mut world, Operation::PutLogEvents, code("ResourceNotFoundException"));
    assert_eq!(header(&world.sent[0]), None);
}

#[test]
fn what_is_wrapped_is_no_format_of_metrics() {
    let lines = crate::lines::LineOptions { wrap: crate::lines::WrapForm::Json, ..Default::default() };
    let options = Options { format: Some("json/emf".into()), lines, ..options() };
    let error = Settings::of(&options).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("awslogs-format and wrap"), "{error}");
}
