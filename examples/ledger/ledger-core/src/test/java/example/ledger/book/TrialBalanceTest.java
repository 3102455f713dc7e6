package example.ledger.book;

import static example.ledger.testing.AccountFixture.anAccount;
import static example.ledger.testing.LedgerAssertions.assertMoney;
import static example.ledger.testing.Values.CASH;
import static example.ledger.testing.Values.SALARY;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import example.ledger.money.Currency;
import example.ledger.money.Money;
import java.util.List;
import org.junit.jupiter.api.Test;

class TrialBalanceTest {

    private final Account bank = anAccount().withBalance("70.00").build();
    private final Account cash = anAccount().withId(CASH).withBalance("20.00").build();
    private final Account salary = anAccount().withId(SALARY).withBalance("90.00").build();

    @Test
    void of_leavesOutOtherCurrencies() {
        TrialBalance actual = TrialBalance.of(List.of(bank), Currency.USD);

        assertEquals(List.of(), actual.lines());
    }

    @Test
    void debits_addsUpTheDebitColumn() {
        TrialBalance balance = TrialBalance.of(List.of(bank, cash, salary), Currency.EUR);

        Money actual = balance.debits();

        assertMoney("90.00 EUR", actual);
    }

    @Test
    void credits_addsUpTheCreditColumn() {
        TrialBalance balance = TrialBalance.of(List.of(bank, salary), Currency.EUR);

        Money actual = balance.credits();

        assertMoney("90.00 EUR", actual);
    }

    @Test
    void isBalanced_isFalseWhenAnAccountIsMissing() {
        TrialBalance balance = TrialBalance.of(List.of(bank, salary), Currency.EUR);

        assertFalse(balance.isBalanced());
    }
}
