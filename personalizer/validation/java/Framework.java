package personalizer;

/** One way to run tests; its classes are loaded beside the project's own libraries. */
public interface Framework {
    /** Whether a test is written for it. */
    boolean owns(Class<?> type, String method);

    /** Runs one method of a class, or where it is empty all but one of the class's own. */
    void run(Class<?> type, String method, String except, Report report) throws Exception;

    /** What happened. */
    interface Report {
        /** A test passed; the name tells it from the others of its class. */
        void passed(String name);

        void skipped(String why);

        void failed(Throwable problem);
    }
}
