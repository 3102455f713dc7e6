package personalizer;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;

/** Keeps the classes of one compilation in memory; a warm compiler keeps the manager itself. */
final class InMemory extends ForwardingJavaFileManager<JavaFileManager> {
    private Map<String, ByteArrayOutputStream> made = new LinkedHashMap<>();

    InMemory(JavaFileManager files) {
        super(files);
    }

    /** The classes since the last call, by binary name. */
    Map<String, byte[]> taken() {
        Map<String, byte[]> taken = new LinkedHashMap<>();
        made.forEach((name, bytes) -> taken.put(name, bytes.toByteArray()));
        made = new LinkedHashMap<>();
        return taken;
    }

    @Override
    public JavaFileObject getJavaFileForOutput(
            Location location, String name, JavaFileObject.Kind kind, FileObject sibling) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        made.put(name, bytes);
        return new SimpleJavaFileObject(URI.create("memory:///" + name.replace('.', '/')), kind) {
            @Override
            public OutputStream openOutputStream() {
                return bytes;
            }
        };
    }
}
