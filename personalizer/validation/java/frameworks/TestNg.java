package personalizer.frameworks;

import java.util.Arrays;
import java.util.List;
import org.testng.IInvokedMethod;
import org.testng.IInvokedMethodListener;
import org.testng.IMethodInstance;
import org.testng.IMethodInterceptor;
import org.testng.ITestContext;
import org.testng.ITestResult;
import org.testng.TestNG;
import personalizer.Framework;

/** TestNG, through its own runner. */
public final class TestNg implements Framework {
    @Override
    public boolean owns(Class<?> type, String method) {
        return Annotations.from("org.testng.annotations.", type, method)
                || type.isAnnotationPresent(org.testng.annotations.Test.class);
    }

    @Override
    public void run(Class<?> type, String method, String except, Report report) {
        TestNG runner = new TestNG(false);
        runner.setVerbose(0);
        runner.setTestClasses(new Class<?>[] {type});
        runner.addListener((Object) new Chosen(method, except));
        runner.addListener((Object) new Listener(report));
        runner.run();
    }

    private static final class Chosen implements IMethodInterceptor {
        private final String method;
        private final String except;

        Chosen(String method, String except) {
            this.method = method;
            this.except = except;
        }

        @Override
        public List<IMethodInstance> intercept(List<IMethodInstance> found, ITestContext context) {
            found.removeIf(
                    one -> {
                        String name = one.getMethod().getMethodName();
                        return method.isEmpty() ? name.equals(except) : !name.equals(method);
                    });
            return found;
        }
    }

    private static final class Listener implements IInvokedMethodListener {
        private final Report report;

        Listener(Report report) {
            this.report = report;
        }

        @Override
        public void beforeInvocation(IInvokedMethod method, ITestResult result) {}

        @Override
        public void afterInvocation(IInvokedMethod method, ITestResult result) {
            Throwable problem = result.getThrowable();
            if (result.getStatus() == ITestResult.SKIP) {
                report.skipped(problem == null ? "skipped" : String.valueOf(problem.getMessage()));
            } else if (!result.isSuccess()) {
                report.failed(problem == null ? new AssertionError("failed") : problem);
            } else if (method.isTestMethod()) {
                report.passed(result.getName() + Arrays.toString(result.getParameters()));
            }
        }
    }
}
