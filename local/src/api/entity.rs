//! The entity that may come with a batch: checked, counted, and not kept.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What emitted the events, in the caller's words.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entity {
    key_attributes: Option<BTreeMap<String, String>>,
    attributes: Option<BTreeMap<String, String>>,
}

/// Why an entity is not taken, in the service's word for it; its events are.
pub fn refused(entity: &Entity) -> Option<&'static str> {
    let Some(keys) = &entity.key_attributes else {
        return Some("MissingRequiredFields");
    };
    let Some(kind) = keys.get("Type") else {
        return Some("MissingRequiredFields");
    };
    if !TYPES.contains(&kind.as_str()) {
        return Some("InvalidTypeValue");
    }
    if keys.len() < 2 {
        return Some("MissingRequiredFields");
    }
    let known = |(name, value): (&String, &String)| {
        KEYS.contains(&name.as_str()) && (1..=512).contains(&value.chars().count())
    };
    if !keys.iter().all(known) {
        return Some("InvalidKeyAttributes");
    }
    let attributes = entity.attributes.iter().flatten();
    let fits = |(name, value): (&String, &String)| {
        (1..=256).contains(&name.chars().count()) && (1..=512).contains(&value.chars().count())
    };
    if attributes.clone().count() > 10 || !attributes.clone().all(fits) {
        return Some("InvalidAttributes");
    }
    None
}

const KEYS: [&str; 5] = ["Type", "ResourceType", "Identifier", "Name", "Environment"];
const TYPES: [&str; 5] = ["AWS::Resource", "AWS::Service", "RemoteService", "Resource", "Service"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_needs_a_known_type_and_something_to_name_it_by() {
        for (text, expected) in [
            (r#"{"keyAttributes":{"Type":"Service","Name":"x","Environment":"e"}}"#, None),
            (r#"{"keyAttributes":{"Type":"Service","Name":"x"},"attributes":{"a":"b"}}"#, None),
            ("{}", Some("MissingRequiredFields")),
            (r#"{"keyAttributes":{"Name":"x"}}"#, Some("MissingRequiredFields")),
            (r#"{"keyAttributes":{"Type":"Service"}}"#, Some("MissingRequiredFields")),
            (r#"{"keyAttributes":{"Type":"Thing","Name":"x"}}"#, Some("InvalidTypeValue")),
            (r#"{"keyAttributes":{"Type":"Service","Shoe":"x"}}"#, Some("InvalidKeyAttributes")),
            (
                r#"{"keyAttributes":{"Type":"Service","Name":"x"},"attributes":{"a":""}}"#,
                Some("InvalidAttributes"),
            ),
        ] {
            let entity: Entity = serde_json::from_str(text).unwrap();
            assert_eq!(refused(&entity), expected, "{text}");
        }
    }
}
