//! Log groups: created, described, deleted, and how long they keep events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::arn;
use super::call::{Context, Outcome};
use super::check::Violations;
use super::limits::{CLASSES, DESCRIBE_PAGE, KMS_KEY_LENGTH, PATTERN_LENGTH, RETENTION_DAYS};
use super::tags;
use crate::refusal::Refusal;
use crate::store::{Group, GroupView};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Create {
    log_group_name: Option<String>,
    kms_key_id: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    log_group_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
}

pub fn create(input: &Create, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let mut violations = Violations::default();
    let name = violations.group(input.log_group_name.as_deref());
    if let Some(key) = &input.kms_key_id {
        violations.length("kmsKeyId", key, 0, KMS_KEY_LENGTH);
    }
    if let Some(tags) = &input.tags {
        tags::check(tags, &mut violations);
    }
    violations.one_of("logGroupClass", input.log_group_class.as_deref(), &CLASSES);
    violations.finish()?;
    if name.starts_with("aws/") {
        return Err(Refusal::invalid("Log groups starting with AWS/ are reserved for AWS."));
    }
    let group = Group {
        created: context.now.0,
        retention: None,
        class: input.log_group_class.clone().unwrap_or_else(|| "STANDARD".to_owned()),
        kms_key: input.kms_key_id.clone(),
        tags: input.tags.clone().unwrap_or_default(),
        delete_protected: input.deletion_protection_enabled == Some(true),
        streams: BTreeMap::new(),
    };
    context.store.create_group(name, group)?;
    Outcome::empty()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Named {
    log_group_name: Option<String>,
}

pub fn delete(input: &Named, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let name = checked_name(input.log_group_name.as_deref())?;
    if context.store.read_group(name, |group| group.delete_protected)? {
        return Err(Refusal::new("ValidationException", "The log group is protected against deletion."));
    }
    context.store.delete_group(name)?;
    Outcome::empty()
}

pub fn delete_retention(input: &Named, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let name = checked_name(input.log_group_name.as_deref())?;
    context.store.change_group(name, |group| group.retention = None)?;
    Outcome::empty()
}

fn checked_name(name: Option<&str>) -> Result<&str, Refusal> {
    let mut violations = Violations::default();
    let name = violations.group(name);
    violations.finish()?;
    Ok(name)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PutRetention {
    log_group_name: Option<String>,
    retention_in_days: Option<i64>,
}

pub fn put_retention(input: &PutRetention, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let mut violations = Violations::default();
    let name = violations.group(input.log_group_name.as_deref());
    let days = input.retention_in_days;
    let allowed = RETENTION_DAYS.into_iter().find(|allowed| days == Some(i64::from(*allowed)));
    match (days, allowed) {
        (None, _) => violations.push_null("retentionInDays"),
        (Some(days), None) => {
            let values: Vec<String> = RETENTION_DAYS.iter().map(u32::to_string).collect();
            let set = format!("Member must satisfy enum value set: [{}]", values.join(", "));
            violations.push("retentionInDays", days, &set);
        }
        (Some(_), Some(_)) => {}
    }
    violations.finish()?;
    context.store.change_group(name, |group| group.retention = allowed)?;
    Outcome::empty()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Describe {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
    log_group_class: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
}

pub fn describe(input: &Describe, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let mut violations = Violations::default();
    if let Some(prefix) = &input.log_group_name_prefix {
        violations.group_name("logGroupNamePrefix", prefix);
    }
    if let Some(pattern) = &input.log_group_name_pattern {
        violations.length("logGroupNamePattern", pattern, 0, PATTERN_LENGTH);
    }
    violations.one_of("logGroupClass", input.log_group_class.as_deref(), &CLASSES);
    violations.range("limit", input.limit, 1, DESCRIBE_PAGE);
    let identifiers = input.log_group_identifiers.as_deref().unwrap_or_default();
    let wanted = identifiers
        .iter()
        .map(|identifier| arn::chosen_group(None, Some(identifier), &mut violations))
        .collect::<Result<Vec<&str>, Refusal>>()?;
    violations.finish()?;
    let (prefix, pattern) = (&input.log_group_name_prefix, &input.log_group_name_pattern);
    if prefix.is_some() && pattern.is_some() {
        return Err(Refusal::invalid(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ));
    }
    let fits = |name: &str, group: &Group| {
        prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix))
            && pattern.as_ref().is_none_or(|pattern| name.contains(pattern))
            && input.log_group_class.as_ref().is_none_or(|class| *class == group.class)
            && (wanted.is_empty() || wanted.contains(&name))
    };
    let limit = usize::try_from(input.limit.unwrap_or(DESCRIBE_PAGE)).unwrap_or(1);
    let mut groups = context.store.groups_after(input.next_token.as_deref(), limit + 1, fits);
    let more = groups.len() > limit;
    groups.truncate(limit);
    Outcome::json(&Groups {
        next_token: groups.last().filter(|_| more).map(|last| last.name.clone()),
        log_groups: groups.into_iter().map(|view| Described::of(view, context)).collect(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Groups {
    log_groups: Vec<Described>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    creation_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention_in_days: Option<u32>,
    metric_filter_count: u32,
    arn: String,
    log_group_arn: String,
    log_group_name: String,
    stored_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<String>,
    log_group_class: String,
    deletion_protection_enabled: bool,
}

impl Described {
    fn of(view: GroupView, context: &Context<'_>) -> Described {
        let log_group_arn = arn::of_group(&view.name, context);
        Described {
            creation_time: view.settings.created,
            retention_in_days: view.settings.retention,
            metric_filter_count: 0,
            arn: format!("{log_group_arn}:*"),
            log_group_arn,
            log_group_name: view.name,
            stored_bytes: view.stored_bytes,
            kms_key_id: view.settings.kms_key,
            log_group_class: view.settings.class,
            deletion_protection_enabled: view.settings.delete_protected,
        }
    }
}
