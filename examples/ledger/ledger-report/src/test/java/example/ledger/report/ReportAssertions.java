package example.ledger.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import example.ledger.money.Money;
import java.util.List;
import org.junit.jupiter.api.function.Executable;

/** What the tests of reports assert. */
final class ReportAssertions {

    private ReportAssertions() {}

    /** Asserts an amount and its currency, written as {@code "12.50 EUR"}. */
    static void assertMoney(String expected, Money actual) {
        assertEquals(expected, actual.toString());
    }

    /** Asserts a text line by line. */
    static void assertLines(String actual, String... expected) {
        assertEquals(List.of(expected), actual.lines().toList());
    }

    /** Asserts that an act fails, and that the message names a detail. */
    static void assertFails(
            Class<? extends RuntimeException> type, String detail, Executable act) {
        String message = assertThrows(type, act).getMessage();

        assertTrue(message.contains(detail), message);
    }
}
