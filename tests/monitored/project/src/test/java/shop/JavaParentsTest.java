package shop;

import java.lang.annotation.Retention;
import java.net.Socket;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;
import javax.crypto.SecretKey;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSocketFactory;
import org.xml.sax.helpers.AttributesImpl;
import org.xml.sax.helpers.DefaultHandler;

class JavaParentsTest {
    X509Certificate certificate;
    SSLSocketFactory sockets;
    SSLServerSocketFactory servers;
    Retention retention;

    void certificates() throws Exception {
        byte[] bytes = certificate.getEncoded();
        java.security.cert.Certificate any = certificate;
        certificate.verify(any.getPublicKey());
        String type = certificate.getType();
    }

    void formatters(LogRecord one) {
        String text = new SimpleFormatter().formatMessage(one);
        java.util.logging.Formatter any = new SimpleFormatter();
    }

    void sockets() throws Exception {
        Socket one = sockets.createSocket("a", 1);
        servers.createServerSocket(1).close();
        javax.net.SocketFactory any = sockets;
    }

    void keys(SecretKey secret, PrivateKey own) throws Exception {
        secret.destroy();
        own.destroy();
        boolean gone = secret.isDestroyed() && own.isDestroyed();
    }

    void handlers(DefaultHandler handler, AttributesImpl attributes) throws Exception {
        handler.startElement("a", "b", "c", attributes);
        org.xml.sax.ContentHandler any = handler;
        int count = attributes.getLength();
        org.xml.sax.Attributes all = attributes;
    }

    void annotations() {
        Class<?> type = retention.annotationType();
        java.lang.annotation.Annotation any = retention;
    }
}
