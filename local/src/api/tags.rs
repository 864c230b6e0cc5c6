//! Tags of log groups, by ARN and by the older operations that take a name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::arn;
use super::call::{Context, Outcome};
use super::check::Violations;
use super::limits::{RESOURCE_ARN_LENGTH, TAG_KEY_LENGTH, TAG_VALUE_LENGTH, TAGS};
use crate::refusal::Refusal;

type Tags = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tag {
    resource_arn: Option<String>,
    tags: Option<Tags>,
}

pub fn tag(input: &Tag, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let mut violations = Violations::default();
    let arn = resource(input.resource_arn.as_deref(), &mut violations);
    let tags = required(input.tags.as_ref(), &mut violations);
    violations.finish()?;
    add(arn::tagged_group(arn)?, tags, context)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TagGroup {
    log_group_name: Option<String>,
    tags: Option<Tags>,
}

pub fn tag_group(input: &TagGroup, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let mut violations = Violations::default();
    let group = violations.group(input.log_group_name.as_deref());
    let tags = required(input.tags.as_ref(), &mut violations);
    violations.finish()?;
    add(group, tags, context)
}

fn add(group: &str, tags: &Tags, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let fits = context.store.read_group(group, |group| {
        let new = tags.keys().filter(|key| !group.tags.contains_key(*key));
        group.tags.len() + new.count() <= TAGS
    })?;
    if !fits {
        return Err(Refusal::new(
            "TooManyTagsException",
            format!("A log group can have at most {TAGS} tags."),
        ));
    }
    context.store.change_group(group, |group| group.tags.extend(tags.clone()))?;
    Outcome::empty()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Untag {
    resource_arn: Option<String>,
    tag_keys: Option<Vec<String>>,
}

pub fn untag(input: &Untag, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let mut violations = Violations::default();
    let arn = resource(input.resource_arn.as_deref(), &mut violations);
    let keys = violations.required("tagKeys", input.tag_keys.as_deref());
    violations.size("tagKeys", "[]", keys.len(), 0, TAGS);
    violations.finish()?;
    remove(arn::tagged_group(arn)?, keys, context)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UntagGroup {
    log_group_name: Option<String>,
    tags: Option<Vec<String>>,
}

pub fn untag_group(input: &UntagGroup, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let mut violations = Violations::default();
    let group = violations.group(input.log_group_name.as_deref());
    let keys = violations.required("tags", input.tags.as_deref());
    if input.tags.is_some() {
        violations.size("tags", "[]", keys.len(), 1, usize::MAX);
    }
    violations.finish()?;
    remove(group, keys, context)
}

fn remove(group: &str, keys: &[String], context: &Context<'_>) -> Result<Outcome, Refusal> {
    context.store.change_group(group, |group| {
        group.tags.retain(|key, _| !keys.contains(key));
    })?;
    Outcome::empty()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct List {
    resource_arn: Option<String>,
}

pub fn list(input: &List, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let mut violations = Violations::default();
    let arn = resource(input.resource_arn.as_deref(), &mut violations);
    violations.finish()?;
    listed(arn::tagged_group(arn)?, context)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListOfGroup {
    log_group_name: Option<String>,
}

pub fn list_of_group(input: &ListOfGroup, context: &Context<'_>) -> Result<Outcome, Refusal> {
    let mut violations = Violations::default();
    let group = violations.group(input.log_group_name.as_deref());
    violations.finish()?;
    listed(group, context)
}

fn listed(group: &str, context: &Context<'_>) -> Result<Outcome, Refusal> {
    #[derive(Serialize)]
    struct Output {
        tags: Tags,
    }
    let tags = context.store.read_group(group, |group| group.tags.clone())?;
    Outcome::json(&Output { tags })
}

/// The constraints on tags that are set.
pub fn check(tags: &Tags, violations: &mut Violations) {
    violations.size("tags", "{}", tags.len(), 1, TAGS);
    for (key, value) in tags {
        violations.length("tags.key", key, 1, TAG_KEY_LENGTH);
        violations.length("tags.value", value, 0, TAG_VALUE_LENGTH);
        violations.pattern("tags.key", key, r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$", in_tag);
        violations.pattern("tags.value", value, r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$", in_tag);
        if key.starts_with("aws:") {
            violations.push("tags.key", key, "Member must not start with aws:");
        }
    }
}

fn in_tag(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

fn required<'a>(tags: Option<&'a Tags>, violations: &mut Violations) -> &'a Tags {
    static NONE: Tags = Tags::new();
    match tags {
        Some(tags) => {
            check(tags, violations);
            tags
        }
        None => {
            violations.push_null("tags");
            &NONE
        }
    }
}

fn resource<'a>(arn: Option<&'a str>, violations: &mut Violations) -> &'a str {
    let required = violations.required("resourceArn", arn);
    if arn.is_some() {
        violations.length("resourceArn", required, 1, RESOURCE_ARN_LENGTH);
    }
    required
}
