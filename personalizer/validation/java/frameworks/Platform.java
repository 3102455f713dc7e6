package personalizer.frameworks;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import personalizer.Framework;

/** JUnit 5, through the JUnit Platform. */
public final class Platform implements Framework {
    private final Launcher launcher =
            LauncherFactory.create(
                    LauncherConfig.builder()
                            .enableTestExecutionListenerAutoRegistration(false)
                            .enablePostDiscoveryFilterAutoRegistration(false)
                            .build());

    @Override
    public boolean owns(Class<?> type, String method) {
        return Annotations.from("org.junit.jupiter.", type, method);
    }

    @Override
    public void run(Class<?> type, String method, String except, Report report) {
        PostDiscoveryFilter meant =
                test -> {
                    if (!(test.getSource().orElse(null) instanceof MethodSource)) {
                        return FilterResult.included("a container");
                    }
                    MethodSource source = (MethodSource) test.getSource().get();
                    boolean own = source.getClassName().equals(type.getName());
                    boolean named = own && source.getMethodName().equals(method.isEmpty() ? except : method);
                    return FilterResult.includedIf(named != method.isEmpty());
                };
        LauncherDiscoveryRequest request =
                LauncherDiscoveryRequestBuilder.request()
                        .selectors(selectClass(type))
                        .filters(meant)
                        .build();
        launcher.execute(request, new Listener(report));
    }

    private static final class Listener implements TestExecutionListener {
        private final Report report;

        Listener(Report report) {
            this.report = report;
        }

        @Override
        public void executionSkipped(TestIdentifier test, String why) {
            report.skipped(why);
        }

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            Throwable problem = result.getThrowable().orElse(null);
            if (result.getStatus() == TestExecutionResult.Status.FAILED) {
                report.failed(problem == null ? new AssertionError("failed") : problem);
            } else if (result.getStatus() == TestExecutionResult.Status.ABORTED) {
                report.skipped(problem == null ? "aborted" : String.valueOf(problem.getMessage()));
            } else if (test.isTest()) {
                report.passed(test.getUniqueId());
            }
        }
    }
}
