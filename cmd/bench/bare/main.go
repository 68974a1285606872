// Bare sends the three requests of a Falcon create with a role, and is what
// edrctl is measured against: no configuration, no checks, no record. It trusts the
// system's authorities, as edrctl does for a vendor's cloud.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: bare URL CLIENT-ID CLIENT-SECRET LOGIN")
		os.Exit(2)
	}
	if err := create(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func create(base, id, secret, login string) error {
	client := http.DefaultClient
	form := url.Values{"client_id": {id}, "client_secret": {secret}}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := post(client, base+"/oauth2/token", "application/x-www-form-urlencoded", []byte(form.Encode()), "", &token); err != nil {
		return err
	}
	var made struct {
		Resources []struct {
			UUID string `json:"uuid"`
			CID  string `json:"cid"`
		} `json:"resources"`
	}
	body, err := json.Marshal(map[string]string{"uid": login})
	if err != nil {
		return err
	}
	if err := post(client, base+"/user-management/entities/users/v1", "application/json", body, token.AccessToken, &made); err != nil {
		return err
	}
	if len(made.Resources) != 1 {
		return errors.New("nobody was made")
	}
	body, err = json.Marshal(map[string]any{
		"action": "grant", "uuid": made.Resources[0].UUID, "cid": made.Resources[0].CID, "role_ids": []string{"event_viewer"},
	})
	if err != nil {
		return err
	}
	return post(client, base+"/user-management/entities/user-role-actions/v1", "application/json", body, token.AccessToken, &struct{}{})
}

func post(client *http.Client, address, kind string, body []byte, token string, into any) error {
	req, err := http.NewRequest(http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", kind)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode > 299 {
		return fmt.Errorf("%s: %s", resp.Status, data)
	}
	return json.Unmarshal(data, into)
}
