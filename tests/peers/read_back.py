"""Reads a log group back with boto3 and prints one JSON array `[stream, timestamp, message]` an event."""

import argparse
import json
import sys

import boto3
from botocore.config import Config


def streams_of(logs, group):
    pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group)
    return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]


def get_events(logs, group, stream):
    """Every event of a stream, from the head: the last page is the one whose token repeats."""
    token = {}
    while True:
        page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, startTime=0, **token)
        for event in page["events"]:
            yield stream, event
        if page["nextForwardToken"] == token.get("nextToken"):
            return
        token = {"nextToken": page["nextForwardToken"]}


def filter_events(logs, group):
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=0):
        for event in page["events"]:
            yield event["logStreamName"], event


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--endpoint-url", required=True)
    options.add_argument("--region", default="eu-central-1")
    options.add_argument("--group", required=True)
    options.add_argument("--way", choices=("get", "filter"), default="get")
    chosen = options.parse_args()
    config = Config(retries={"mode": "standard"}, read_timeout=120)
    logs = boto3.client("logs", endpoint_url=chosen.endpoint_url, region_name=chosen.region, config=config)
    if chosen.way == "filter":
        events = filter_events(logs, chosen.group)
    else:
        events = (event for stream in streams_of(logs, chosen.group) for event in get_events(logs, chosen.group, stream))
    for stream, event in events:
        sys.stdout.write(json.dumps([stream, event["timestamp"], event["message"]]) + "\n")


if __name__ == "__main__":
    main()
