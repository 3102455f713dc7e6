package personalizer;

import java.net.URL;
import java.net.URLClassLoader;

/** The project's libraries, and beside them our own classes that use its test framework. */
final class Libraries extends URLClassLoader {
    Libraries(URL[] urls) {
        super("libraries", urls, Libraries.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith("personalizer.frameworks.")) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : findClass(name);
        }
    }
}
