"""Real parts for tests, started once per run, on free loopback ports, ended by process id.

README. How a test uses it:

    from tests.harness import Broker, Process, consume_until, produce, wait_for

    def test_…(broker): …             # runs twice: on a real Apache Kafka 4 and on the embedded broker
    def test_…(kafka): …              # the real one only: `kafka.bootstrap` is "127.0.0.1:port"
    def test_…(redis_url): …          # a real Redis, emptied before the test
    def test_…(alertmanager): …       # a real Alertmanager: `alertmanager.url`, `.alerts()`, `.restart()`
    def test_…(browser): …            # a real Chromium: `browser.new_context()`, Playwright's sync API

    @pytest.mark.compaction           # also `admin`, `append_time`: skips the embedded broker's run
    def test_…(broker): …

- `broker.create_topics({"sla.alerts.v1": 4}, {"cleanup.policy": "compact"})` makes topics; the broker is shared by the
  whole run, so a test names its topics and groups with `unique("detect")`, or removes what it made with
  `broker.delete_topics(…)`.
- `produce(bootstrap, topic, [(key, value), …])` waits until the broker has acknowledged every record.
- `consume_until(bootstrap, [topic], enough)` reads from the beginning until `enough(records)` holds;
  when it waits in vain, the failure shows what had come.
- `Process([sys.executable, "-m", "forewarn", …], name="detect")` starts a program with its output in a file;
  `terminate`, `kill`, `wait`, `send`, `log_tail`, `wait_for_log`; as a context manager it never outlives
  the block, and it dies with the test run.
- `wait_for(condition, "what is awaited")` is the only way to wait: no sleeps in tests. It gives up after two minutes,
  which tells a failure from a machine that does other work beside; a bound of the product is kept by the product.
- `free_port()` stays free: a worker or a server that is started later finds it so.

The real broker needs Java 17 and, the first time, Maven (or Docker, where Java is missing); Redis needs `redis-server`
or one of the wheels that hold it, Alertmanager and Chromium a Debian package each. What is missing skips with its
reason, and fails where `FOREWARN_REQUIRE=kafka,redis,alertmanager,browser` says that it must be there.
"""

from tests.harness.broker import Broker, unique
from tests.harness.ports import free_port
from tests.harness.process import Process, wait_for
from tests.harness.records import Received, consume_until, produce
from tests.harness.require import Missing, require

__all__ = [
    "Broker",
    "Missing",
    "Process",
    "Received",
    "consume_until",
    "free_port",
    "produce",
    "require",
    "unique",
    "wait_for",
]
