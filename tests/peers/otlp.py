"""Sends records by OpenTelemetry's own SDK to an OTLP/HTTP endpoint, in protobuf or in JSON, and prints whether each
export was taken.
"""

import argparse
import json
import logging

from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource


def exporter(arguments):
    """The exporter of a form."""
    options = {"endpoint": arguments.url, "timeout": 30}
    if arguments.token:
        options["headers"] = {"authorization": f"Bearer {arguments.token}"}
    if arguments.form == "json":
        from opentelemetry.exporter.otlp.common.http import Compression
        from opentelemetry.exporter.otlp.json.http._log_exporter import OTLPLogExporter
    else:
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    if arguments.gzip:
        options["compression"] = Compression.GZIP if hasattr(Compression, "GZIP") else Compression.Gzip
    return OTLPLogExporter(**options)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--form", choices=["protobuf", "json"], default="protobuf")
    parser.add_argument("--records", type=int, default=10)
    parser.add_argument("--token")
    parser.add_argument("--gzip", action="store_true")
    arguments = parser.parse_args()
    exports = exporter(arguments)
    results = []
    inner = exports.export

    def export(batch):
        result = inner(batch)
        results.append(result.name)
        return result

    exports.export = export
    provider = LoggerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_log_record_processor(BatchLogRecordProcessor(exports))
    logger = logging.getLogger("tests")
    logger.setLevel(logging.INFO)
    logger.addHandler(LoggingHandler(logger_provider=provider))
    for number in range(arguments.records):
        logger.warning("record %d", number, extra={"number": number, "ratio": number / 2})
    provider.shutdown()
    print(json.dumps(results))


main()
