package personalizer.frameworks;

import org.junit.runner.Description;
import org.junit.runner.JUnitCore;
import org.junit.runner.Request;
import org.junit.runner.manipulation.Filter;
import org.junit.runner.notification.Failure;
import org.junit.runner.notification.RunListener;
import personalizer.Framework;

/** JUnit 4, and JUnit 3 as JUnit 4 runs it. */
public final class JUnit4 implements Framework {
    @Override
    public boolean owns(Class<?> type, String method) {
        return junit.framework.TestCase.class.isAssignableFrom(type)
                || Annotations.from("org.junit.Test", type, method)
                || Annotations.from("org.junit.experimental.", type, method);
    }

    @Override
    public void run(Class<?> type, String method, String except, Report report) {
        JUnitCore core = new JUnitCore();
        core.addListener(new Listener(report));
        core.run(Request.aClass(type).filterWith(new Named(type, method, except)));
    }

    private static final class Named extends Filter {
        private final Class<?> type;
        private final String method;
        private final String except;

        Named(Class<?> type, String method, String except) {
            this.type = type;
            this.method = method;
            this.except = except;
        }

        @Override
        public boolean shouldRun(Description test) {
            if (!test.isTest()) {
                return test.getChildren().stream().anyMatch(this::shouldRun);
            }
            String name = String.valueOf(test.getMethodName()).replaceAll("\\[.*", "").trim();
            boolean own = type.getName().equals(test.getClassName());
            return method.isEmpty() ? !(own && name.equals(except)) : name.equals(method);
        }

        @Override
        public String describe() {
            return type.getName() + "." + method;
        }
    }

    private static final class Listener extends RunListener {
        private final Report report;
        private boolean failed;

        Listener(Report report) {
            this.report = report;
        }

        @Override
        public void testStarted(Description test) {
            failed = false;
        }

        @Override
        public void testFailure(Failure failure) {
            failed = true;
            report.failed(failure.getException());
        }

        @Override
        public void testAssumptionFailure(Failure failure) {
            failed = true;
            report.skipped(String.valueOf(failure.getMessage()));
        }

        @Override
        public void testIgnored(Description test) {
            report.skipped("it is ignored");
        }

        @Override
        public void testFinished(Description test) {
            if (!failed) {
                report.passed(test.toString());
            }
        }
    }
}
