"""rsyslog from Debian's packages: this writes its configuration and becomes rsyslogd.

Its language reckons in whole numbers. So money is reckoned in thousandths of a millionth, ratios in
hundredths, and decimal points are put in as text. It reads no times: these have to be UTC already.
"""

import os
import shutil
import sys
from pathlib import Path

import sink

FILTER = r"""
ruleset(name="enrich" queue.type="LinkedList" queue.size="100000" queue.dequeueBatchSize="4000"
        queue.workerThreads="1") {
  action(type="mmjsonparse" cookie="")
  set $.in = cnum($!input_tokens);
  set $.out = cnum($!output_tokens);
  if ($!model == "gpt-4.1") then {
    set $.cost = 1000000000 + $.in * 2000 + $.out * 8000;
  } else {
    set $.cost = 1000000000 + $.in * 3000 + $.out * 15000;
  }
  set $.cost = "" & $.cost;
  set $.whole = field($!latency_ms, ".", 1);
  set $.part = substring(field($!latency_ms, ".", 2) & "000", 0, 3);
  set $.us = cnum($.whole) * 1000 + cnum($.part);
  set $.category = "normal";
  set $.slow = "";
  if ($.us > 10000000) then {
    set $.category = "critical";
    set $.slow = ",\"high_latency\"";
  } else if ($.us > 3000000) then {
    set $.category = "warning";
    set $.slow = ",\"medium_latency\"";
  }
  set $.speed = ($.out * 200000000 + $.us) / ($.us * 2);
  set $.ratio = ($.out * 200 + $.in) / ($.in * 2);
  set $.speed_part = "" & (100 + $.speed %% 100);
  set $.ratio_part = "" & (100 + $.ratio %% 100);
  set $.total = $.in + $.out;
  set $.event = substring($msg, 0, strlen($msg) - 1);
  set $.minute = substring($!@timestamp, 0, 16);
  set $.hour = substring($!@timestamp, 0, 13);
  set $.document = $.event & ",\"minute_bucket\":\"" & $.minute
    & "\",\"hour_bucket\":\"" & $.hour
    & "\",\"cost_usd\":0." & substring($.cost, 1, 9)
    & ",\"latency_category\":\"" & $.category
    & "\",\"tokens_per_second\":" & ($.speed / 100) & "." & substring($.speed_part, 1, 2)
    & ",\"compression_ratio\":" & ($.ratio / 100) & "." & substring($.ratio_part, 1, 2)
    & ",\"total_tokens\":" & $.total
    & ",\"tags\":[\"model_" & $!model & "\"" & $.slow & "]}";
  action(type="omkafka" broker="%(servers)s" topic="%(output)s" template="document" key=""
         partitions.auto="on" confParam=["compression.codec=none", "acks=all"])
  %(store)s
}
"""
STORE = r"""
  set $.index = "%(index)s-" & substring($!@timestamp, 0, 4) & "." & substring($!@timestamp, 5, 2)
    & "." & substring($!@timestamp, 8, 2);
  set $.id = $!service & "/" & $!request_id;
  action(type="omelasticsearch" server="%(host)s" serverport="%(port)s" template="document"
         searchIndex="index" dynSearchIndex="on" searchType="" bulkid="id" dynbulkid="on"
         bulkmode="on" queue.type="LinkedList" queue.size="100000" queue.dequeueBatchSize="1000")
"""
FRAME = r"""
global(workDirectory="%(folder)s" maxMessageSize="256k" net.enableDNS="off")
module(load="imkafka")
module(load="mmjsonparse")
module(load="omkafka")
module(load="omelasticsearch")
template(name="document" type="string" string="%%$.document%%")
template(name="index" type="string" string="%%$.index%%")
template(name="id" type="string" string="%%$.id%%")
%(filter)s
input(type="imkafka" topic="%(input)s" broker="%(servers)s" consumergroup="%(group)s"
      ruleset="enrich" confParam=["auto.offset.reset=earliest"])
"""


def configuration() -> str:
    """Fill in where events come from and go."""
    values = {
        "servers": os.environ["BENCH_BOOTSTRAP"],
        "input": os.environ["BENCH_INPUT"],
        "output": os.environ["BENCH_OUTPUT"],
        "group": os.environ["BENCH_GROUP"],
        "folder": str(Path.cwd()),
        "store": "",
    }
    if sink.URL:
        host, _, port = sink.URL.rpartition("/")[2].partition(":")
        values["store"] = STORE % {"index": os.environ["BENCH_INDEX"], "host": host, "port": port}
    return FRAME % {**values, "filter": FILTER % values}


def main() -> None:
    """Write the configuration and run it."""
    program = shutil.which("rsyslogd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if program is None:
        sys.exit(
            "rsyslogd is not installed (packages rsyslog, rsyslog-kafka, rsyslog-elasticsearch)"
        )
    Path("rsyslog.conf").write_text(configuration())
    os.execv(program, [program, "-n", "-f", "rsyslog.conf", "-i", "NONE"])


main()
