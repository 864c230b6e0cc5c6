"""Reads metrics on standard input by Prometheus's own library, and prints name, labels and value of each sample as JSON.

Either format is read by its own parser, which refuses what breaks the format's rules.
"""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as prometheus


def main():
    page = sys.stdin.buffer.read().decode()
    families = (open_metrics if page.endswith("# EOF\n") else prometheus)(page)
    samples = [sample for family in families if family.type != "unknown" for sample in family.samples]
    print(json.dumps([[sample.name, sample.labels, sample.value] for sample in samples]))


if __name__ == "__main__":
    main()
