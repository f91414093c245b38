"""Keys, certificates and kubeconfigs of a control plane that lives as long as the tests."""

import datetime
import ipaddress
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = datetime.timedelta(days=2)
SKEW = datetime.timedelta(hours=1)
"""Certificates are valid from a little earlier on: a clock may step back."""


class Credentials:
    """A certificate authority in a folder, and what it has signed.

    Args:
        folder: gets the files; only its owner may look inside.
        now: start of the lifetime, UTC.
    """

    def __init__(self, folder: Path, now: datetime.datetime) -> None:
        folder.mkdir(mode=0o700, parents=True)
        self._folder = folder
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "endcap-tests")])
        authority = self._builder(self._name, self._key.public_key())
        authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        authority = authority.add_extension(_key_usage(signs_certificates=True), critical=True)
        self.authority = folder / "ca.crt"
        self._write(self.authority, authority.sign(self._key, hashes.SHA256()))
        self.service_account_key, self.service_account_public_key = self._service_account_keys()

    def issue(self, name: str, groups: tuple[str, ...] = ()) -> tuple[Path, Path]:
        """Certificate and key of a server on loopback or of a user; Kubernetes reads `name` as user name and `groups` as groups."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups] + [
            x509.NameAttribute(NameOID.COMMON_NAME, name)
        ]
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = self._builder(x509.Name(subject), key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        file = name.replace(":", "-")
        certificate, key_file = self._folder / f"{file}.crt", self._folder / f"{file}.key"
        self._write(certificate, builder.sign(self._key, hashes.SHA256()))
        _write_private(key_file, _pem_of(key))
        return certificate, key_file

    def kubeconfig(self, server: str, name: str, groups: tuple[str, ...] = ()) -> Path:
        """A kubeconfig for a user, who is made for it."""
        certificate, key = self.issue(name, groups)
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": {"server": server, "certificate-authority": str(self.authority)}}],
            "users": [{"name": name, "user": {"client-certificate": str(certificate), "client-key": str(key)}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": name}}],
            "current-context": "tests",
        }
        path = self._folder / f"{name.replace(':', '-')}.kubeconfig"
        _write_private(path, yaml.safe_dump(content).encode())
        return path

    def _service_account_keys(self) -> tuple[Path, Path]:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private, public = self._folder / "service-accounts.key", self._folder / "service-accounts.pub"
        _write_private(private, _pem_of(key))
        public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
        return private, public

    def _builder(self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(public_key)
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(self._now - SKEW).not_valid_after(self._now + LIFETIME)

    @staticmethod
    def _write(path: Path, certificate: x509.Certificate) -> None:
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _key_usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not signs_certificates,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
