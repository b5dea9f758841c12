#include "tls_trust.h"

#include <gio/gio.h>

#include "failure.h"
#include "pipeline.h"

namespace cap {

namespace {

// A database that knows one certificate. With it the pin holds for what any authority has signed, too: rtspsrc's
// signal accept-certificate is asked only about what has failed already.
struct Pin {
  GTlsDatabase parent;
  gchar* fingerprint;
};
struct PinClass {
  GTlsDatabaseClass parent_class;
};

G_DEFINE_TYPE(Pin, pin, G_TYPE_TLS_DATABASE)

std::string FingerprintOf(GTlsCertificate* certificate) {
  GByteArray* der = nullptr;
  g_object_get(certificate, "certificate", &der, nullptr);
  if (!der) return "";
  gchar* sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, der->data, der->len);
  std::string fingerprint = sum;
  g_free(sum);
  g_byte_array_unref(der);
  return fingerprint;
}

GTlsCertificateFlags Verify(GTlsDatabase* self, GTlsCertificate* chain, const gchar*, GSocketConnectable*,
                            GTlsInteraction*, GTlsDatabaseVerifyFlags, GCancellable*, GError**) {
  const bool same = FingerprintOf(chain) == reinterpret_cast<Pin*>(self)->fingerprint;
  return same ? G_TLS_CERTIFICATE_NO_FLAGS : G_TLS_CERTIFICATE_UNKNOWN_CA;
}

void Finalize(GObject* object) {
  g_free(reinterpret_cast<Pin*>(object)->fingerprint);
  G_OBJECT_CLASS(pin_parent_class)->finalize(object);
}

void pin_class_init(PinClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = Finalize;
  G_TLS_DATABASE_CLASS(klass)->verify_chain = Verify;
}
void pin_init(Pin*) {}

GTlsDatabase* NewPin(const std::string& fingerprint) {
  auto* pin = static_cast<Pin*>(g_object_new(pin_get_type(), nullptr));
  pin->fingerprint = g_strdup(fingerprint.c_str());
  return G_TLS_DATABASE(pin);
}

GTlsDatabase* NewDatabase(Napi::Env env, const std::string& kind, const std::string& value) {
  if (kind == "fingerprint") return NewPin(value);
  GError* error = nullptr;
  GTlsDatabase* database = G_TLS_DATABASE(g_tls_file_database_new(value.c_str(), &error));
  if (!database) Throw(env, FailureFromGError("tls", error));
  return database;
}

// rtspsrc itself says no more than "Generic error".
gboolean OnRefused(GstElement* element, GTlsConnection*, GTlsCertificate* certificate, GTlsCertificateFlags, gpointer) {
  GST_ELEMENT_ERROR(element, RESOURCE, OPEN_READ,
                    ("untrusted certificate sha256:%s", FingerprintOf(certificate).c_str()), (nullptr));
  return FALSE;
}

}  // namespace

void TrustTls(const Napi::CallbackInfo& info) {
  const std::string kind = info[2].As<Napi::String>();
  GTlsDatabase* database = kind == "system" ? nullptr : NewDatabase(info.Env(), kind, info[3].As<Napi::String>());
  GstElement* element = Pipeline::From(info[0])->Element(info.Env(), info[1].As<Napi::String>());
  if (database) {
    g_object_set(element, "tls-database", database, nullptr);
    g_object_unref(database);
  }
  g_signal_connect(element, "accept-certificate", G_CALLBACK(OnRefused), nullptr);
  gst_object_unref(element);
}

}  // namespace cap
