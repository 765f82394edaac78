import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.KeyValueStore;

/** The job in Kafka Streams: one thread, RocksDB with its changelog, Jackson. */
public final class Count {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final AtomicLong READ = new AtomicLong();

    public static void main(String[] arguments) throws Exception {
        Map<String, String> told = System.getenv();
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(told.get("BENCH_TOPIC"), Consumed.with(Serdes.String(), Serdes.ByteArray()))
            .filter((key, value) -> {
                READ.incrementAndGet();
                return key != null;
            })
            .groupByKey(Grouped.with(Serdes.String(), Serdes.ByteArray()))
            .aggregate(
                () -> new byte[3 * Long.BYTES],
                (key, value, total) -> add(value, total),
                Materialized.<String, byte[], KeyValueStore<Bytes, byte[]>>as("totals")
                    .withKeySerde(Serdes.String())
                    .withValueSerde(Serdes.ByteArray()));
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, told.get("BENCH_NAME"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, told.get("KAFKA_BOOTSTRAP_SERVERS"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("forewarn-bench-").toString());
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        watch(Long.parseLong(told.get("BENCH_RECORDS")));
        new KafkaStreams(builder.build(), settings).start();
    }

    private static byte[] add(byte[] value, byte[] total) {
        try {
            JsonNode document = JSON.readTree(value);
            if (!document.get("type").textValue().equals("counts")) {
                return total;
            }
            ByteBuffer sums = ByteBuffer.wrap(total);
            return ByteBuffer.allocate(3 * Long.BYTES)
                .putLong(sums.getLong(0) + 1)
                .putLong(sums.getLong(Long.BYTES) + document.get("good").longValue())
                .putLong(sums.getLong(2 * Long.BYTES) + document.get("bad").longValue())
                .array();
        } catch (java.io.IOException error) {
            throw new java.io.UncheckedIOException(error);
        }
    }

    private static void watch(long wanted) {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        Thread thread = new Thread(() -> {
            try {
                while (READ.get() == 0) {
                    Thread.sleep(10);
                }
                long first = READ.get();
                long beganAt = System.nanoTime();
                long beganCpu = system.getProcessCpuTime();
                while (READ.get() < wanted) {
                    Thread.sleep(10);
                }
                System.out.printf(
                    java.util.Locale.ROOT,
                    "BENCH {\"records_count\": %d, \"seconds\": %.6f, \"cpu_s\": %.6f}%n",
                    READ.get() - first,
                    (System.nanoTime() - beganAt) / 1e9,
                    (system.getProcessCpuTime() - beganCpu) / 1e9);
                System.out.flush();
            } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
            }
        });
        thread.setDaemon(true);
        thread.start();
    }
}
