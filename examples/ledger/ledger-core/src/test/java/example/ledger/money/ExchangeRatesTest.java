package example.ledger.money;

import static example.ledger.testing.LedgerAssertions.assertFails;
import static example.ledger.testing.LedgerAssertions.assertMoney;
import static example.ledger.testing.Values.dollars;
import static org.junit.jupiter.api.Assertions.assertEquals;

import example.ledger.LedgerException;
import java.math.BigDecimal;
import org.junit.jupiter.api.Test;

class ExchangeRatesTest {

    private final ExchangeRates rates = ExchangeRates.basedOn(Currency.EUR)
            .with(Currency.USD, "1.25")
            .with(Currency.JPY, "150")
            .build();

    @Test
    void rate_goesThroughTheBase() {
        BigDecimal actual = rates.rate(Currency.USD, Currency.JPY);

        assertEquals(0, new BigDecimal("120").compareTo(actual));
    }

    @Test
    void rate_failsForAnUnknownCurrency() {
        assertFails(LedgerException.class, "CHF", () -> rates.rate(Currency.EUR, Currency.CHF));
    }

    @Test
    void convert_changesIntoTheOtherCurrency() {
        Money actual = rates.convert(dollars("5.00"), Currency.EUR);

        assertMoney("4.00 EUR", actual);
    }
}
