package personalizer;

import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.nio.file.Files;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;

/**
 * Classes of the project and its tests, for one run: one loader for both, so that tests see what
 * is package-private, and before the libraries, of which one may hold a copy of the project.
 */
final class Loader extends ClassLoader {
    private final File[] folders;
    private final Map<String, byte[]> inMemory;
    private final ProtectionDomain domain;

    Loader(ClassLoader libraries, String[] folders, Map<String, byte[]> inMemory)
            throws MalformedURLException {
        super("project", libraries);
        this.folders = new File[folders.length];
        for (int i = 0; i < folders.length; i++) {
            this.folders[i] = new File(folders[i]);
        }
        this.inMemory = inMemory;
        URL home = (folders.length == 0 ? new File(".") : this.folders[0]).toURI().toURL();
        this.domain = new ProtectionDomain(new CodeSource(home, (Certificate[]) null), null, this, null);
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            if (loaded != null) {
                return loaded;
            }
            byte[] bytes = name.startsWith("java.") ? null : bytesOf(name);
            return bytes == null
                    ? super.loadClass(name, resolve)
                    : defineClass(name, bytes, 0, bytes.length, domain);
        }
    }

    private byte[] bytesOf(String name) throws ClassNotFoundException {
        byte[] bytes = inMemory.get(name);
        if (bytes != null) {
            return bytes;
        }
        String path = name.replace('.', File.separatorChar) + ".class";
        for (File folder : folders) {
            File file = new File(folder, path);
            if (file.isFile()) {
                try {
                    return Files.readAllBytes(file.toPath());
                } catch (IOException failed) {
                    throw new ClassNotFoundException(name, failed);
                }
            }
        }
        return null;
    }

    @Override
    public URL getResource(String name) {
        URL own = findResource(name);
        return own != null ? own : super.getResource(name);
    }

    @Override
    protected URL findResource(String name) {
        List<URL> found = found(name);
        return found.isEmpty() ? null : found.get(0);
    }

    @Override
    protected Enumeration<URL> findResources(String name) {
        return Collections.enumeration(found(name));
    }

    private List<URL> found(String name) {
        List<URL> found = new ArrayList<>();
        for (File folder : folders) {
            File file = new File(folder, name);
            if (file.exists() && !name.endsWith(".class")) {
                try {
                    found.add(file.toURI().toURL());
                } catch (MalformedURLException impossible) {
                    throw new IllegalStateException(impossible);
                }
            }
        }
        return found;
    }
}
