"""Describes log groups with boto3 and prints them as a JSON array."""

import argparse
import json

import boto3


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--endpoint-url", required=True)
    options.add_argument("--region", default="eu-central-1")
    chosen = options.parse_args()
    logs = boto3.client("logs", endpoint_url=chosen.endpoint_url, region_name=chosen.region)
    pages = logs.get_paginator("describe_log_groups").paginate()
    print(json.dumps([group for page in pages for group in page["logGroups"]]))


if __name__ == "__main__":
    main()
