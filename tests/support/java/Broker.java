/* Broker - format the storage if it is new, then run the broker: one JVM start instead of two.
 *
 *   java Broker server.properties [argument of StorageTool format]...
 */
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;

public final class Broker {
    public static void main(String[] args) throws Exception {
        Properties props = new Properties();
        try (InputStream in = new FileInputStream(args[0])) {
            props.load(in);
        }
        if (!new File(props.getProperty("log.dirs"), "meta.properties").exists()) {
            List<String> format = new ArrayList<>(List.of("format", "-c", args[0]));
            format.addAll(Arrays.asList(args).subList(1, args.length));
            int rc = kafka.tools.StorageTool.execute(format.toArray(new String[0]), System.out);
            if (rc != 0) {
                System.exit(rc);
            }
        }
        kafka.Kafka.main(new String[] {args[0]});
    }
}
