package example.ledger.money;

import static example.ledger.testing.LedgerAssertions.assertFails;
import static example.ledger.testing.LedgerAssertions.assertMoney;
import static example.ledger.testing.Values.dollars;
import static example.ledger.testing.Values.euros;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.util.List;
import org.junit.jupiter.api.Test;

class MoneyTest {

    @Test
    void of_roundsToTheDigitsOfTheCurrency() {
        Money actual = Money.of("12.345", Currency.EUR);

        assertMoney("12.35 EUR", actual);
    }

    @Test
    void zero_isNothing() {
        Money actual = Money.zero(Currency.JPY);

        assertMoney("0 JPY", actual);
    }

    @Test
    void sum_addsUpAllAmounts() {
        List<Money> amounts = List.of(euros("1.00"), euros("2.00"), euros("3.50"));

        Money actual = Money.sum(amounts, Currency.EUR);

        assertMoney("6.50 EUR", actual);
    }

    @Test
    void plus_addsTheAmounts() {
        Money price = euros("10.00");

        Money actual = price.plus(euros("2.50"));

        assertMoney("12.50 EUR", actual);
    }

    @Test
    void plus_failsForAnotherCurrency() {
        Money price = euros("10.00");

        assertFails(
                CurrencyMismatchException.class, "got USD", () -> price.plus(dollars("1.00")));
    }

    @Test
    void minus_mayGoBelowZero() {
        Money price = euros("10.00");

        Money actual = price.minus(euros("12.00"));

        assertMoney("-2.00 EUR", actual);
    }

    @Test
    void times_roundsTheResult() {
        Money price = euros("0.99");

        Money actual = price.times(new BigDecimal("0.5"));

        assertMoney("0.50 EUR", actual);
    }

    @Test
    void negate_changesTheSign() {
        Money debt = euros("-3.00");

        Money actual = debt.negate();

        assertMoney("3.00 EUR", actual);
    }

    @Test
    void split_givesWhatIsLeftOverToTheFirst() {
        Money bill = euros("10.00");

        List<Money> actual = bill.split(3);

        assertEquals(List.of(euros("3.34"), euros("3.33"), euros("3.33")), actual);
    }

    @Test
    void compareTo_ordersBySize() {
        Money small = euros("9.99");

        int actual = small.compareTo(euros("10.00"));

        assertEquals(-1, actual);
    }
}
