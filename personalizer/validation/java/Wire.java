package personalizer;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** Messages of named byte strings: a count, then key and value, each after its length. */
public final class Wire {
    private Wire() {}

    /** The next message; null at the end of the stream. */
    public static Map<String, byte[]> read(DataInputStream in) throws IOException {
        int count;
        try {
            count = in.readInt();
        } catch (EOFException end) {
            return null;
        }
        Map<String, byte[]> message = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            String key = text(in.readNBytes(in.readInt()));
            message.put(key, in.readNBytes(in.readInt()));
        }
        return message;
    }

    /** Sends one message whole. */
    public static void write(DataOutputStream out, Map<String, byte[]> message) throws IOException {
        out.writeInt(message.size());
        for (Map.Entry<String, byte[]> entry : message.entrySet()) {
            byte[] key = bytes(entry.getKey());
            out.writeInt(key.length);
            out.write(key);
            out.writeInt(entry.getValue().length);
            out.write(entry.getValue());
        }
        out.flush();
    }

    public static String text(byte[] bytes) {
        return bytes == null ? "" : new String(bytes, StandardCharsets.UTF_8);
    }

    public static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** A list as it travels: its items between NULs. */
    public static String[] list(byte[] bytes) {
        String text = text(bytes);
        return text.isEmpty() ? new String[0] : text.split("\0");
    }

    /** What {@code class:} entries of a message hold, by binary name. */
    public static Map<String, byte[]> classes(Map<String, byte[]> message) {
        Map<String, byte[]> found = new LinkedHashMap<>();
        for (Map.Entry<String, byte[]> entry : message.entrySet()) {
            if (entry.getKey().startsWith("class:")) {
                found.put(entry.getKey().substring("class:".length()), entry.getValue());
            }
        }
        return found;
    }
}
