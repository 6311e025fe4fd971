"""A certificate that the application makes itself, so that what tablets send is encrypted."""

from __future__ import annotations

import datetime
import ipaddress
import pathlib
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import oid

from grfjax.io import atomic

VALID_DAYS = 397  # browsers refuse what is valid for longer than 398
_LEFT_DAYS = 30  # with less to go, a new one is made


def ensure_certificate(
  folder: pathlib.Path, addresses: Sequence[str]
) -> tuple[pathlib.Path, pathlib.Path]:
  """Makes a certificate and its key, unless there is one that still does.

  It is kept, so that a tablet has to be told only once that it may be trusted.

  Args:
    folder: for both files.
    addresses: IP addresses that it is for, besides 'localhost'.

  Returns:
    The files of the certificate and of the key, PEM.
  """
  certificate_file, key_file = folder / 'certificate.pem', folder / 'key.pem'
  if key_file.is_file() and certificate_file.is_file():
    found = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    left = found.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    if _addresses(found) >= set(addresses) and left.days >= _LEFT_DAYS:
      return certificate_file, key_file
  key = ec.generate_private_key(ec.SECP256R1())
  folder.mkdir(mode=0o700, parents=True, exist_ok=True)
  private = key.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
  )
  with atomic.atomic_files(folder, [key_file.name, certificate_file.name]) as draft:
    (draft / key_file.name).write_bytes(private)
    (draft / key_file.name).chmod(0o600)
    certificate = _make(key, addresses)
    (draft / certificate_file.name).write_bytes(
      certificate.public_bytes(serialization.Encoding.PEM)
    )
  return certificate_file, key_file


def fingerprint(certificate_file: pathlib.Path) -> str:
  """Returns the SHA-256 of a certificate as browsers show it, 'AB:CD:...'."""
  certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
  return certificate.fingerprint(hashes.SHA256()).hex(':').upper()


def _make(key: ec.EllipticCurvePrivateKey, addresses: Sequence[str]) -> x509.Certificate:
  name = x509.Name([x509.NameAttribute(oid.NameOID.COMMON_NAME, 'grfjax app')])
  now = datetime.datetime.now(datetime.UTC)
  alternatives: list[x509.GeneralName] = [x509.DNSName('localhost')]
  alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
  return (
    x509.CertificateBuilder()
    .subject_name(name)
    .issuer_name(name)
    .public_key(key.public_key())
    .serial_number(x509.random_serial_number())
    .not_valid_before(now - datetime.timedelta(days=1))  # clocks differ
    .not_valid_after(now + datetime.timedelta(days=VALID_DAYS - 1))
    .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    .add_extension(x509.ExtendedKeyUsage([oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    .sign(key, hashes.SHA256())
  )


def _addresses(certificate: x509.Certificate) -> set[str]:
  names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
  return {str(address) for address in names.get_values_for_type(x509.IPAddress)}
