package example.ledger.book;

import static example.ledger.testing.LedgerAssertions.assertMoney;
import static example.ledger.testing.Values.euros;
import static org.junit.jupiter.api.Assertions.assertEquals;

import example.ledger.money.Money;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AccountTypeTest {

    @ParameterizedTest
    @CsvSource({"assets:bank, ASSET", "expenses:rent, EXPENSE", "equity, EQUITY"})
    void of_readsTheFirstPartOfThePath(String path, AccountType expected) {
        AccountType actual = AccountType.of(AccountId.of(path));

        assertEquals(expected, actual);
    }

    @Test
    void growth_turnsTheSignOfIncome() {
        Money actual = AccountType.INCOME.growth(euros("-10.00"));

        assertMoney("10.00 EUR", actual);
    }
}
