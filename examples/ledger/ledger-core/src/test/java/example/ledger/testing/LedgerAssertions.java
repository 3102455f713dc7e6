package example.ledger.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import example.ledger.book.Account;
import example.ledger.money.Money;
import org.junit.jupiter.api.function.Executable;

/** What the tests of the ledger assert; amounts are written as {@code "12.50 EUR"}. */
public final class LedgerAssertions {

    private LedgerAssertions() {}

    /** Asserts an amount and its currency. */
    public static void assertMoney(String expected, Money actual) {
        assertEquals(expected, actual.toString());
    }

    /** Starts an assertion about the balance of an account. */
    public static BalanceAssertion assertThatBalance(Account account) {
        return new BalanceAssertion(account);
    }

    /** Asserts that an act fails, and that the message names a detail. */
    public static void assertFails(
            Class<? extends RuntimeException> type, String detail, Executable act) {
        String message = assertThrows(type, act).getMessage();

        assertTrue(message.contains(detail), message);
    }

    /** An assertion about the balance of one account. */
    public static final class BalanceAssertion {

        private final Account account;

        private BalanceAssertion(Account account) {
            this.account = account;
        }

        /** Asserts what the account holds. */
        public void is(String expected) {
            assertMoney(expected, account.balance());
        }
    }
}
